//! `diff -f`: what `apply -f` would change, without values.

use std::ffi::OsStr;

use crate::change::declared::{Adopt, Applying, DeclaredFile, Made};
use crate::error::{Error, Result};
use crate::flags::{BINARY, DryRun, Output, Report, WriteArgs};
use crate::session::batch::Several;
use crate::session::{self, Session};
use crate::ui::Table;

/// # Errors
/// Something differs, or could not be compared.
pub(super) async fn compare(path: &OsStr, form: Report, session: &Session<'_>) -> Result<()> {
    if matches!(form, Report::Json | Report::Yaml) {
        return Err(Error::usage("diff -f prints lines for people")
            .hint("for programs: apply -f FILE --dry-run -o json"));
    }
    let mut file = DeclaredFile::read(path)?;
    let (dry_run, output) = (DryRun::Client, Output::Human);
    let write = WriteArgs { dry_run, output, validate: "strict", field_manager: BINARY.to_owned() };
    let applying = Applying::prepare(&mut file, Adopt::Yes, &write, session).await?;
    let mut several = Several::secrets(applying.count(), session);
    let (mut table, mut differs) = (Table::new(vec!["SECRET", "PLACE", "KEY", "WOULD BE"]), false);
    let compared = applying
        .run(|title, made| {
            let Some(made) = several.one(title, made)? else { return Ok(()) };
            made.warn(session);
            let Made { name, spot, verb, difference, .. } = made;
            differs |= verb != "unchanged";
            let touched = difference.touched();
            for (key, fate) in difference.fates().filter(|(key, _)| touched.contains(key)) {
                table.row([name.clone(), spot.title.clone(), key.to_owned(), fate.word().to_owned()]);
            }
            if touched.is_empty() && verb != "unchanged" {
                table.row([name, spot.title, String::new(), "marked".to_owned()]);
            }
            Ok(())
        })
        .await;
    compared.and(several.verdict())?;
    if !differs {
        session.ui.note("all secrets are as the file says");
        return Ok(());
    }
    let text = table.to_string();
    session::scope::print(form, &(), session, || text)?;
    Err(Error::different())
}
