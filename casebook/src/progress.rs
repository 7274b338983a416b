//! How far a long piece of work is: a bar on a terminal, a line every few seconds elsewhere.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

const SAY_EVERY: Duration = Duration::from_secs(3);
const BAR: &str = "{bar:40} {human_pos} of {human_len} {msg}, {per_sec}, {eta} left";

/// Counts what is done with. Dropped, it falls silent.
pub struct Progress {
    done: Arc<AtomicU64>,
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines(JoinHandle<()>),
}

impl Progress {
    /// On standard error, in a unit such as `rows`. Must be called within a tokio runtime.
    pub fn start(total: u64, unit: &'static str) -> Self {
        let done = Arc::new(AtomicU64::new(0));
        let shown = if stderr().is_terminal() {
            let style = ProgressStyle::with_template(BAR).expect("the template is well formed");
            Shown::Bar(ProgressBar::new(total).with_style(style).with_message(unit))
        } else {
            Shown::Lines(tokio::spawn(say_lines(Arc::clone(&done), total, unit)))
        };
        Self { done, shown }
    }

    pub fn add(&self, more: u64) {
        self.done.fetch_add(more, Ordering::Relaxed);
        if let Shown::Bar(bar) = &self.shown {
            bar.inc(more);
        }
    }

    /// So much is done with in all.
    pub fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
        if let Shown::Bar(bar) = &self.shown {
            bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        match &self.shown {
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Lines(task) => task.abort(),
        }
    }
}

async fn say_lines(done: Arc<AtomicU64>, total: u64, unit: &str) {
    let (mut before, mut then) = (0, Instant::now());
    loop {
        tokio::time::sleep(SAY_EVERY).await;
        let now = done.load(Ordering::Relaxed);
        let line = line(now, total, unit, now.saturating_sub(before), then.elapsed());
        (before, then) = (now, Instant::now());
        // Progress that cannot be shown is no reason to stop.
        let _ = writeln!(stderr(), "{line}");
    }
}

/// `lately` were done in the last span.
fn line(done: u64, total: u64, unit: &str, lately: u64, span: Duration) -> String {
    let rate = lately as f64 / span.as_secs_f64();
    let left = if lately > 0 {
        format!("{:.0} s left", total.saturating_sub(done) as f64 / rate)
    } else {
        "no end in sight".into()
    };
    format!("{done} of {total} {unit}, {rate:.0} {unit}/s, {left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let span = Duration::from_secs(2);
        assert_eq!(line(500, 1_000, "rows", 200, span), "500 of 1000 rows, 100 rows/s, 5 s left");
        assert_eq!(line(500, 1_000, "rows", 0, span), "500 of 1000 rows, 0 rows/s, no end in sight");
    }
}
