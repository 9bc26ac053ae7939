//! Asks for what `submit` lacks: the image, the secrets, the GPUs and the command.

use super::asking::{Guide, NAME, something};
use crate::error::{Error, Result};
use crate::workload;

impl Guide<'_> {
    pub(super) async fn ask_for_submit(&mut self) -> Result<()> {
        if self.has(&["image"]) {
            return Ok(());
        }
        self.ask_for_project().await?;
        let image = self.type_word("Image of the container", "", something, None).await?;
        self.draft.flag("image", &image);
        if self.count() == 0 && !self.has(&["name", "name-prefix"]) {
            let question = "Name of the job (empty: generated)";
            let name = self.type_name(question, "", &NAME, may_be_a_name).await?;
            if !name.is_empty() {
                self.draft.push(name);
            }
        }
        if !self.has_reference() && !self.has(&["env-all", "secret"]) {
            self.ask_for_references().await?;
        }
        if !self.has(&["gpu", "gpu-memory", "gpu-portion-request", "gpu-memory-request"]) {
            let gpus = self.type_word("GPUs (empty: none)", "", may_be_a_number, None).await?;
            if !gpus.is_empty() {
                self.draft.flag("gpu", &gpus);
            }
        }
        if !self.draft.has_rest() {
            self.ask_for_command().await?;
        }
        Ok(())
    }

    async fn ask_for_command(&mut self) -> Result<()> {
        let question = "Command line (empty: the image's own)";
        let check = |line: &str| words_of(line).map(drop);
        let line = self.type_word(question, "", check, None).await?;
        let words = words_of(&line)?;
        if !words.is_empty() {
            self.draft.flag("command", "");
            self.draft.set_rest(words);
        }
        Ok(())
    }
}

fn words_of(line: &str) -> Result<Vec<String>> {
    shell_words::split(line).map_err(|_| Error::usage("a quotation mark is missing"))
}

fn may_be_a_name(name: &str) -> Result<()> {
    if name.is_empty() { Ok(()) } else { workload::check_object_name("job", name) }
}

fn may_be_a_number(word: &str) -> Result<()> {
    if word.is_empty() || word.parse::<f64>().is_ok_and(|number| number > 0.0) {
        Ok(())
    } else {
        Err(Error::usage("type a number such as 1 or 0.5"))
    }
}
