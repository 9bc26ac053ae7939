//! Foreign texts about a request, such as a refusal or a warning, which may quote values that are stored or
//! were sent. Values are learnt as they come and go, and read if no command has read them.

use http::Method;

use super::Cluster;
use super::call::{Call, Shape};
use super::proof;
use crate::ui::{Topic, Values};

impl Cluster {
    /// Learns the values of secrets in a request or an answer; those of a list, as long as there is room.
    pub(super) fn learn(&self, call: &Call, json: &[u8]) {
        if call.is_about_secrets() && call.is_list() {
            self.ui.never_quote_list(json);
        } else if call.is_about_secrets() {
            self.ui.never_quote_secret(json);
        }
    }

    /// Records that the values of a secret are known, if this is the answer to a call that reads them.
    pub(super) fn note_read(&self, call: &Call) {
        if call.method == Method::GET && call.shape == Shape::Whole {
            self.read.borrow_mut().extend(call.place.path.clone());
        }
    }

    /// Returns the subject of texts about a call, as far as it is known. No webhook is asked about a mere
    /// read. While further secrets are being read, the text may quote one of those.
    pub(super) fn topic(&self, call: &Call) -> Topic {
        let is_read = |secret: Call| self.read.borrow().contains(&secret.place.path.unwrap_or_default());
        let is_among_others = call.reads_secrets() && self.unread.get() > 0;
        let is_known =
            !is_among_others && (call.method == Method::GET || call.reading_its_secret().is_none_or(is_read));
        Topic { names: call.names(), values: if is_known { Values::Known } else { Values::Unknown } }
    }

    /// Returns the subject of these texts. Reads the secret that they may quote if needed; its values are not
    /// kept.
    pub(super) async fn topic_of(&self, call: &Call, texts: &[&str]) -> Topic {
        let topic = self.topic(call);
        let are_ordinary = || texts.iter().all(|text| topic.is_ordinary(text));
        match call.reading_its_secret() {
            Some(secret) if topic.values == Values::Unknown && !are_ordinary() => {
                self.read_values(&secret).await;
                self.topic(call)
            }
            _ => topic,
        }
    }

    /// Reads a secret so that its values are known. If that fails, they stay unknown.
    async fn read_values(&self, secret: &Call) {
        let (Ok(target), Ok(credential)) = (secret.target(), self.wire.login.credential().await) else {
            return;
        };
        if let Ok((head, body)) = Box::pin(self.send_as(secret, &target, &credential)).await
            && head.status.is_success()
            && proof::of_answer(secret, &body).is_ok()
        {
            self.learn(secret, &body);
            self.note_read(secret);
        }
    }
}
