//! `submit --wait`: follows a new Job until its container runs, or until it clearly can't start without help.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{Cluster, Failure};
use crate::command_line::CommandLine;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::ui;
use crate::ui::Topic;
use crate::wording::shortened;
use crate::workload::{Kind, Object, Start, Stuck, Target, newest_warning, start, stuck_by_events};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often the reason for waiting is repeated while it stays the same.
const REMINDER: Duration = Duration::from_secs(15);
/// The most characters of the cluster's text that are shown.
const LONGEST_TEXT: usize = 300;

/// KAI's word for a job that may not be stopped, and would need more than its queue's quota.
const OVER_QUOTA: &str = "NonPreemptibleOverQuota";
const GO_OVER_QUOTA: &str =
    "a job that may be stopped for others gets more than the quota: submit --preemptible";

/// A Job to follow.
pub(super) struct NewlySubmitted<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
    pub(super) kind: &'static Kind,
    pub(super) name: &'a str,
}

impl NewlySubmitted<'_> {
    /// Returns when the Job's container runs or has finished.
    ///
    /// # Errors
    /// The Job failed, can't start without help, was deleted, or has not started in time. It is left as it
    /// is.
    pub(super) async fn wait(&self, limit: Duration) -> Result<()> {
        let (job, name, namespace) = (self.kind.display_name(self.name), self.name, self.namespace);
        let hints = vec![
            format!(
                "{job} was created, and goes on; to see it: {}",
                CommandLine::kubectl("get job").arg(name).namespace(namespace)
            ),
            self.how_to_remove(),
        ];
        ui::interrupt::watching(hints, self.follow(limit)).await
    }

    async fn follow(&self, limit: Duration) -> Result<()> {
        let ui = self.session.ui;
        let job = self.kind.display_name(self.name);
        let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
        let (mut said, mut said_at) = (String::new(), started);
        loop {
            let why = match self.read().await? {
                Start::Running { pod } => {
                    ui.note(&format!("{job} runs, in pod/{pod}"));
                    return Ok(());
                }
                Start::Completed => {
                    ui.note(&format!("{job} has done its work"));
                    return Ok(());
                }
                Start::Failed { why } => {
                    return Err(Error::failed(format!("{job} failed: {}", self.quoted(&why))).hint(format!(
                        "to see its log: {}",
                        CommandLine::kubectl("logs")
                            .arg(format!("job/{}", self.name))
                            .namespace(self.namespace)
                    )));
                }
                Start::Stuck(stuck) => return Err(self.explained(&stuck)),
                Start::Waiting { why, warning, .. } => self.reason(&why, warning.as_deref()),
            };
            if why != said || said_at.elapsed() > REMINDER {
                ui.note(&format!("{job} has not started: {why}"));
                (said, said_at) = (why, Instant::now());
            }
            let Some(left) = limit.checked_sub(started.elapsed()) else {
                let line = format!("{job} has not started after {} s: {said}", limit.as_secs());
                let error = self.still_there(Error::partly(line));
                return Err(if said.contains(OVER_QUOTA) { error.first_hint(GO_OVER_QUOTA) } else { error });
            };
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn read(&self) -> Result<Start> {
        let target = Target { kind: self.kind, name: self.name.to_owned() };
        let (job, pods, events) = tokio::join!(
            self.cluster.workload(self.namespace, &target),
            self.cluster.pods_of_job(self.namespace, self.name),
            self.events_of("Job", self.name)
        );
        let (job, pods) = match (job, pods) {
            (Ok(job), Ok(pods)) => (job, pods),
            (Err(failure), _) if failure.is_not_found() => {
                return Err(Error::failed(format!("{} was deleted", self.kind.display_name(self.name))));
            }
            (Err(failure), _) | (_, Err(failure)) => return self.missed(failure),
        };
        match start(&job, &pods) {
            Start::Waiting { why, of, .. } => {
                let events = if of.kind == "Job" { events } else { self.events_of(of.kind, &of.name).await };
                let waiting = || Start::Waiting { why, of, warning: newest_warning(&events) };
                Ok(stuck_by_events(&events).map_or_else(waiting, Start::Stuck))
            }
            start => Ok(start),
        }
    }

    /// Lists the events of an object; none if they can't be read, which only makes the reason less precise.
    async fn events_of(&self, kind: &str, name: &str) -> Vec<Value> {
        match self.cluster.events_of(self.namespace, kind, name).await {
            Ok(events) => events,
            Err(failure) => {
                if failure.is_forbidden() {
                    self.session.ui.warning(&format!(
                        "you may not list events in namespace {}: a full quota, or a missing secret that is mounted, is not reported",
                        self.namespace
                    ));
                }
                Vec::new()
            }
        }
    }

    /// Handles a failed read: waits for the next one if the server may only be away for a moment.
    fn missed(&self, failure: Failure) -> Result<Start> {
        if failure.may_pass() {
            let of = Object { kind: "Job", name: self.name.to_owned() };
            let why = "the API server does not answer".to_owned();
            return Ok(Start::Waiting { why, of, warning: None });
        }
        let error = Error::from(failure);
        Err(error.hint(format!(
            "{} was created, and goes on without being watched",
            self.kind.display_name(self.name)
        )))
    }

    fn explained(&self, stuck: &Stuck) -> Error {
        let (namespace, job) = (self.namespace, self.kind.display_name(self.name));
        let error = |why: &str| Error::partly(format!("{job} can't start: {}", self.quoted(why)));
        self.still_there(match stuck {
            Stuck::MissingSecret { secret } => {
                error(&format!("secret {secret:?} does not exist in namespace {namespace}")).hint(format!(
                    "create it, and the job starts: {}",
                    CommandLine::plugin("create").arg(secret).namespace(namespace).then("--from-file=KEY=PATH")
                ))
            }
            Stuck::MissingKey { secret, key } => error(&format!("secret {secret:?} has no key {key:?}"))
                .hint(format!(
                    "to see its keys: {}",
                    CommandLine::kubectl("describe secret").arg(secret).namespace(namespace)
                )),
            Stuck::Image { image, why } => error(&format!("image {image:?} can't be pulled: {why}"))
                .hint("check the image's name and tag")
                .hint("a private registry needs a login: create docker-registry NAME, then submit --image-pull-secret NAME"),
            Stuck::NoPod { why } if why.contains("exceeded quota") => error(why).hint(format!(
                "a quota is used up; the job starts when there is room: {}",
                CommandLine::kubectl("describe quota").namespace(namespace)
            )),
            Stuck::NoPod { why } | Stuck::Other { why } => error(why)
                .hint(CommandLine::kubectl("describe job").arg(self.name).namespace(namespace)),
        })
    }

    /// The reason for waiting, and the newest warning if it says more.
    fn reason(&self, why: &str, warning: Option<&str>) -> String {
        let why = self.quoted(why);
        let warning = warning.map(|warning| self.quoted(warning));
        let says_more = |warning: &String| {
            let message = warning.split_once(": ").map_or(warning.as_str(), |(_, message)| message);
            !message.is_empty() && !why.contains(message)
        };
        match warning.filter(says_more) {
            Some(warning) => format!("{why}; {warning}"),
            None => why,
        }
    }

    /// The cluster's words as they may be shown, in one line.
    fn quoted(&self, text: &str) -> String {
        let text = &in_one_line(text);
        let topic = Topic { names: format!("{} {}", self.namespace, self.name), ..Topic::default() };
        shortened(&self.session.ui.quotable(text, &topic), LONGEST_TEXT)
    }

    fn still_there(&self, error: Error) -> Error {
        error.hint(format!("the job was left as it is; {}", self.how_to_remove()))
    }

    fn how_to_remove(&self) -> String {
        format!(
            "to remove it: {}",
            CommandLine::kubectl("delete job").arg(self.name).namespace(self.namespace)
        )
    }
}

/// Joins the lines of a scheduler's message, with a semicolon after a line that has no end of its own.
fn in_one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(String::new(), |joined, line| match joined.chars().next_back() {
        None => line.to_owned(),
        Some(':' | ';' | ',' | '.') => format!("{joined} {line}"),
        Some(_) => format!("{joined}; {line}"),
    })
}

#[cfg(test)]
mod tests {
    use super::in_one_line;

    #[test]
    fn a_message_of_several_lines_is_one_line() {
        for (text, line) in [
            ("", ""),
            ("0/1 nodes are available.", "0/1 nodes are available."),
            ("no node:\n  gpu-1: full\n\n  gpu-2: full.\r\nend\n", "no node: gpu-1: full; gpu-2: full. end"),
        ] {
            assert_eq!(in_one_line(text), line);
        }
    }
}
