//! The sources of values besides files: standard input, and environment variables.
//!
//! They are behind a trait, so that the rules on sources can be tested without a process of their own.

use std::ffi::OsString;
use std::io;
use std::io::Read;

/// The surroundings that values may come from.
pub(crate) trait Input {
    /// Reads standard input, at most once.
    fn standard_input(&mut self) -> io::Result<Box<dyn Read + '_>>;

    /// Returns the value of an environment variable, if it is set.
    fn variable(&self, name: &str) -> Option<OsString>;
}

/// The standard input and the environment of this process.
pub(crate) struct ProcessInput;

impl Input for ProcessInput {
    /// Bypasses `std::io::stdin`, whose buffer lives as long as the process and would keep a copy of the
    /// value.
    #[cfg(unix)]
    fn standard_input(&mut self) -> io::Result<Box<dyn Read + '_>> {
        use std::os::fd::AsFd;
        let descriptor = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Box::new(std::fs::File::from(descriptor)))
    }

    #[cfg(not(unix))]
    fn standard_input(&mut self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(io::stdin().lock()))
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}
