//! A service that has logins.

use super::docker;
use super::found::Found;
use super::machine::Machine;
use crate::error::Result;
use crate::secret::SSH;

/// How jobs take a login.
pub(crate) enum Usual {
    /// Each key as a variable of its name.
    Variables,
    /// One key as a file in a folder, and a variable that holds its path.
    File {
        folder: &'static str,
        key: &'static str,
        variable: &'static str,
    },
    /// Keys as files of other names in a folder that only the user may read.
    Private {
        folder: &'static str,
        files: &'static [(&'static str, &'static str)],
    },
    ImagePull,
}

/// A service or program, and its logins.
pub(crate) struct Service {
    /// Its word on the command line.
    pub(crate) name: &'static str,
    /// What a login of it is, for people: `a Hugging Face token`.
    pub(crate) title: &'static str,
    /// The usual name of the secret.
    pub(crate) secret: &'static str,
    /// The type of the secret; empty for the default, `Opaque`.
    pub(crate) secret_type: &'static str,
    pub(crate) usual: Usual,
    /// The command or the sentence that says how one logs in.
    pub(super) log_in: &'static str,
    /// What stands after `SERVICE=`, for messages: `PROFILE`.
    pub(crate) profile: &'static str,
    /// Lists the profiles with a login; an empty one first stands for the default.
    pub(super) profiles: fn(&Machine<'_>) -> Vec<String>,
    /// Reads the login of a profile, or of the default.
    pub(super) read: fn(&Machine<'_>, Option<&str>) -> Result<Found>,
}

impl Service {
    /// Reports whether its login may be asked of another program, which may ask somebody.
    pub(crate) fn asks_a_program(&self, machine: &Machine<'_>) -> bool {
        self.name == "docker" && docker::has_helpers(machine)
    }

    /// Reports whether `create SERVICE` means its login. `ssh` is a type of secret there.
    pub(crate) fn has_short_form(&self) -> bool {
        self.secret_type != SSH
    }

    /// Reads the login of a profile, or of the default one.
    ///
    /// # Errors
    /// There is no such login, or it is not in a file. Names files, never their content.
    pub(crate) fn read(&self, profile: Option<&str>, machine: &Machine<'_>) -> Result<Found> {
        (self.read)(machine, profile).map_err(|error| {
            let error = error.at(self.name);
            let is_helped = self.log_in.is_empty() || !error.hints().is_empty();
            if is_helped { error } else { error.hint(format!("to log in: {}", self.log_in)) }
        })
    }

    /// Lists what of this machine `--from-login` takes: `SERVICE` for the default, `SERVICE=PROFILE` for others. What
    /// can't be read is left out.
    pub(crate) fn logins(&self, machine: &Machine<'_>) -> Vec<String> {
        let word = |profile: String| match profile.as_str() {
            "" => self.name.to_owned(),
            profile => format!("{}={profile}", self.name),
        };
        (self.profiles)(machine).into_iter().map(word).collect()
    }
}
