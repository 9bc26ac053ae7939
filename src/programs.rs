//! Finds programs by their names, as the shell of the system does.

use std::env;
use std::ffi::OsString;
use std::path::Path;

/// The endings of programs where Windows does not name them.
const ENDINGS: &str = ".COM;.EXE;.BAT;.CMD";

/// Returns what to start for a program's name: on Windows the file that it stands for, such as `code.cmd` for `code`,
/// since only `.exe` is added to a name there. Elsewhere, and if there is no such file, the name.
pub(crate) fn to_start(name: &str) -> OsString {
    if cfg!(windows) {
        let listed = |variable: &str| env::var(variable).unwrap_or_default();
        let endings = Some(listed("PATHEXT")).filter(|endings| !endings.is_empty());
        let files = files(name, &listed("PATH"), &endings.unwrap_or_else(|| ENDINGS.to_owned()));
        if let Some(file) = files.into_iter().find(|file| Path::new(file).is_file()) {
            return file.into();
        }
    }
    name.into()
}

/// Returns the files that a name may stand for on Windows, in the order in which they are looked for. The current folder
/// is not among the folders: others may have written there.
fn files(name: &str, folders: &str, endings: &str) -> Vec<String> {
    let endings: Vec<&str> = endings.split(';').filter(|ending| !ending.is_empty()).collect();
    let lower = name.to_ascii_lowercase();
    let has_ending = endings.iter().any(|ending| lower.ends_with(&ending.to_ascii_lowercase()));
    let mut names: Vec<String> = has_ending.then(|| name.to_owned()).into_iter().collect();
    names.extend(endings.iter().map(|ending| format!("{name}{}", ending.to_ascii_lowercase())));
    if name.contains(['/', '\\', ':']) {
        return names;
    }
    let folders =
        folders.split(';').map(|folder| folder.trim_matches('"')).filter(|folder| !folder.is_empty());
    folders.flat_map(|folder| names.iter().map(move |name| format!("{folder}\\{name}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_an_ending_gets_each_of_them_in_each_folder_of_the_path() {
        assert_eq!(
            files("aws", r#"C:\a;;"C:\b c""#, ".EXE;.CMD"),
            [r"C:\a\aws.exe", r"C:\a\aws.cmd", r"C:\b c\aws.exe", r"C:\b c\aws.cmd"]
        );
    }

    #[test]
    fn a_name_with_an_ending_is_looked_for_as_it_is_first() {
        assert_eq!(
            files("aws.Cmd", r"C:\a", ".EXE;.CMD"),
            [r"C:\a\aws.Cmd", r"C:\a\aws.Cmd.exe", r"C:\a\aws.Cmd.cmd"]
        );
        assert_eq!(files("a.b", r"C:\a", ".EXE"), [r"C:\a\a.b.exe"]);
    }

    #[test]
    fn a_path_is_not_looked_for_elsewhere() {
        assert_eq!(files(r"C:\x\aws", r"C:\a", ".EXE"), [r"C:\x\aws.exe"]);
        assert_eq!(files("./aws.exe", r"C:\a", ".EXE"), ["./aws.exe", "./aws.exe.exe"]);
    }

    #[cfg(unix)]
    #[test]
    fn elsewhere_a_program_is_started_by_its_name() {
        assert_eq!(to_start("aws"), "aws");
    }
}
