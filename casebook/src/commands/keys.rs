//! `casebook keys`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;

use crate::{Config, data_dir::DataDir, keys::store, say::say};

/// Keep a copy of what cannot be made again
#[derive(Args)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Copy the master key, without which all records are lost: into a new file, or onto the terminal
    Backup { file: Option<PathBuf> },
}

impl Keys {
    pub fn run(self, config: &Config) -> Result<()> {
        let Action::Backup { file } = self.action;
        let data_dir = DataDir::at(&config.common.data_dir);
        // Whatever is kept must be a key.
        config.keys.master_key(&data_dir)?;
        let key = config.keys.text(&data_dir)?;
        match file {
            None => say(key.expose_secret())?,
            Some(file) => {
                store(&file, &key)?;
                say(&format!(
                    "The master key is in {}. Keep it away from this machine.\n\
                     The key that signs checkpoints is not in it: it is {}. Without a copy of that file, nothing more \
                     can be signed once it is lost; what is signed stays verifiable.",
                    file.display(),
                    config.keys.checkpoint_key(&data_dir).file().display()
                ))?;
            }
        }
        Ok(())
    }
}
