//! Offers a secret that was just made to a workload.

use super::asking::Guide;
use super::draft::Draft;
use super::line::{Line, Telling, tell_of_next_time};
use super::made::{Made, Verb};
use crate::complete::{self, Choice};
use crate::error::{Kind, Result};
use crate::secret;
use crate::session::Connected;
use crate::ui::Ui;

const NOT_NOW: &str = "not now";
const NEW_JOB: &str = "a new job";

impl Made {
    /// Offers the secret to a workload, and tells the command for next time: one for both.
    ///
    /// # Errors
    /// Ctrl-C; the workload does not get it.
    pub(super) async fn offer(self, draft: Draft, connected: &Connected, ui: &Ui) -> Result<()> {
        let mut draft = draft;
        let done = loop {
            let Some(target) = self.ask_for_workload(&draft, connected, ui).await? else { break None };
            let words = self.words_for(&draft, &target);
            let line = Line::typed(words.clone(), connected, ui).reviewed().telling(Telling::Failures);
            match Box::pin(line.answered()).await {
                // Back to the question for the workload: the secret itself is made.
                Err(error) if error.kind() == Kind::SteppedBack => {}
                Err(error) => return Err(error.for_good()),
                Ok(done) => break Some((target, words, done.draft)),
            }
        };
        match done {
            Some((target, words, attached))
                if self.is_one_command(&target, ui) && attached.whole() == words =>
            {
                draft.flag("attach", &target);
                tell_of_next_time(Some(draft.shown()), &Ok(()), ui);
            }
            Some((.., second)) => {
                ui.note(&format!("next time you can type: {}", draft.shown()));
                tell_of_next_time(Some(second.shown()), &Ok(()), ui);
            }
            None => tell_of_next_time(Some(draft.shown()), &Ok(()), ui),
        }
        Ok(())
    }

    /// Reports whether `create --attach` does the same.
    fn is_one_command(&self, target: &str, ui: &Ui) -> bool {
        let is_known = ui.chosen_flags().iter().all(|flag| flag == "--recreate");
        self.verb == Verb::Create && target != NEW_JOB && is_known
    }

    /// Asks which workload gets it; none for not now.
    async fn ask_for_workload(
        &self,
        draft: &Draft,
        connected: &Connected,
        ui: &Ui,
    ) -> Result<Option<String>> {
        let words = draft.in_place(&["attach", &self.name]);
        let mut guide = Guide::new(words, connected, ui);
        let line = guide.draft.followed_by(&[""]);
        let cluster = guide.cluster().await?;
        let row = |value: &str, about: &str| Choice::new(value, about);
        let mut choices = vec![row(NOT_NOW, ""), row(NEW_JOB, "submitted now")];
        choices.extend(complete::workloads(guide.draft.program(), &line, &cluster).await?);
        match guide.pick(&format!("Give {} to a job?", self.name), choices).await {
            Ok(picked) => Ok(Some(picked).filter(|picked| picked != NOT_NOW)),
            Err(error) if error.kind() == Kind::SteppedBack => Ok(None),
            Err(error) => Err(error.although(&format!("secret/{} is there", self.name))),
        }
    }

    fn words_for(&self, draft: &Draft, target: &str) -> Vec<String> {
        let Self { name, variables, .. } = self;
        let mut words = if target == NEW_JOB {
            draft.in_place(&["submit"])
        } else {
            draft.in_place(&["attach", name, target])
        };
        let is_file = |key: &String| !secret::is_env_name(key);
        match (target == NEW_JOB, variables.as_slice()) {
            (true, []) => words.push(format!("--secret={name}")),
            (true, keys) if keys.iter().any(is_file) => {
                words.push(format!("--secret-volume=path=/etc/{name},name={name}"));
            }
            (true, keys) => {
                words.extend(keys.iter().map(|key| format!("--environment={key}=SECRET:{name},{key}")));
            }
            // The questions of `attach` offer files.
            (false, keys) if keys.iter().any(is_file) => {}
            (false, keys) => words.extend(keys.iter().map(|key| format!("--env={key}"))),
        }
        words
    }
}
