//! `diff -f`: what `apply -f` would change, without values.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use serde::Serialize;

use crate::change::declared::{Adopt, Applying, DeclaredFile, Made};
use crate::error::{Error, Result};
use crate::flags::{BINARY, DryRun, Output, Report, ReportArgs, WriteArgs};
use crate::secret::Fate;
use crate::session::batch::Several;
use crate::session::{self, Session};
use crate::ui::Table;

/// The report of `-o json`. docs/reference/json.md documents the fields.
#[derive(Serialize)]
struct FileReport {
    secrets: Vec<Would>,
}

/// What would become of a secret in one place.
#[derive(Serialize)]
struct Would {
    name: String,
    /// The project, or the namespace.
    place: String,
    namespace: String,
    state: State,
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    key: String,
    /// `added`, `changed`, `same` or `gone`.
    state: &'static str,
}

/// How a secret is beside what the file says.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It would be created.
    Missing,
    Differs,
    /// It has the values, and would get the file's labels and the noted ends.
    Unmarked,
    Same,
}

/// # Errors
/// Something differs, or could not be compared.
pub(super) async fn compare(path: &OsStr, args: &ReportArgs, session: &Session<'_>) -> Result<()> {
    let mut file = DeclaredFile::read(path)?;
    let (dry_run, output) = (DryRun::Client, Output::Human);
    let write = WriteArgs { dry_run, output, validate: "strict", field_manager: BINARY.to_owned() };
    let applying = Applying::prepare(&mut file, Adopt::Yes, &write, session).await?;
    let mut several = Several::secrets(applying.count(), session);
    let mut report = FileReport { secrets: Vec::new() };
    let compared = applying
        .run(|title, made| {
            let Some(made) = several.one(title, made)? else { return Ok(()) };
            made.warn(session);
            if made.adopted == Adopt::Yes {
                let (name, place) = (&made.name, &made.spot.title);
                session.ui.note(&format!(
                    "{name} in {place} was not made by this file: apply needs --adopt for it"
                ));
            }
            report.secrets.push(Would::of(made));
            Ok(())
        })
        .await;
    let compared = compared.and(several.verdict());
    let differs = report.secrets.iter().any(|one| one.state != State::Same);
    let is_for_people = !matches!(args.output, Report::Data(_));
    if !differs && is_for_people {
        compared?;
        session.ui.note("all secrets are as the file says");
        return Ok(());
    }
    session::scope::print(args, &report, session, || match args.output {
        Report::Name => {
            let different = report.secrets.iter().filter(|one| one.state != State::Same);
            let names: BTreeSet<String> = different.map(|one| format!("secret/{}", one.name)).collect();
            session::scope::lines(&names)
        }
        _ => table(&report, args),
    })?;
    compared?;
    if differs { Err(Error::different()) } else { Ok(()) }
}

impl Would {
    fn of(made: Made) -> Self {
        let Made { name, spot, done, .. } = made;
        let (verb, difference) = (done.verb, done.difference);
        let state = match verb {
            "unchanged" => State::Same,
            "created" => State::Missing,
            _ if difference.is_nothing() => State::Unmarked,
            _ => State::Differs,
        };
        let key = |(key, fate): (&str, Fate)| Key { key: key.to_owned(), state: fate.word() };
        let keys = difference.fates().map(key).collect();
        Self { name, place: spot.title, namespace: spot.namespace, state, keys }
    }
}

/// Returns a row for each key that would be another.
fn table(report: &FileReport, args: &ReportArgs) -> String {
    let mut table = Table::new(["SECRET", "PLACE", "KEY", "WOULD BE"]).with(args.head.head());
    for one in report.secrets.iter().filter(|one| one.state != State::Same) {
        let touched: Vec<&Key> = one.keys.iter().filter(|key| key.state != Fate::Same.word()).collect();
        for key in &touched {
            table.row([one.name.as_str(), &one.place, &key.key, key.state]);
        }
        if touched.is_empty() {
            table.row([one.name.as_str(), &one.place, "", "marked"]);
        }
    }
    table.to_string()
}
