//! What a command answers, on standard output; the log goes to standard error.

use std::io::{self, Write};

pub(crate) fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
