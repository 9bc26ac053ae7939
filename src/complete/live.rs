//! Looks names up in the kubeconfig and in the cluster, as many as arrive within the time limit.
//!
//! The user waits at the keyboard. So a thread of its own looks names up and hands on each one as it arrives.
//! It is abandoned if it hangs: a lookup at a name server that does not answer can't be interrupted.

use std::collections::BTreeSet;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use super::candidate::Candidate;
use super::files;
use super::names::{CompletionContext, Found};
use super::wanted::{Live, Lookup};
use crate::cluster::{Cluster, entries};
use crate::error::Error;
use crate::flags::{Connection, parse_duration};
use crate::typed_line::Line;

/// The time limit of an answer. With the start of this program and of kubectl, Tab takes less than 1.5 s.
const LIMIT: Duration = Duration::from_millis(1350);
/// The time limit if there is something to offer without the cluster.
const LIMIT_OF_MORE: Duration = Duration::from_millis(500);
/// The time by which the lookup ends before: it ends by itself and takes a hanging credential plugin with it.
const AHEAD: Duration = Duration::from_millis(100);

/// How urgently names are wanted.
#[derive(Clone, Copy)]
pub(super) enum Need {
    /// Nothing else can be offered.
    Sole,
    /// They are offered beside what is known.
    More,
}

impl Need {
    fn limit(self) -> Duration {
        match self {
            Self::Sole => LIMIT,
            Self::More => LIMIT_OF_MORE,
        }
    }
}

/// Returns the names, sorted. Never fails: names that can't be looked up are not offered.
pub(super) fn candidates(wanted: &Live, need: Need, line: &Line<'_>, started: Instant) -> Vec<Candidate> {
    let (what, scene, own) = (wanted.what.clone(), CompletionContext::of(line), connection(line));
    let connection = match &wanted.context {
        Some(context) => own.to_other_context(context),
        None => own,
    };
    let (sender, names) = channel();
    let until = need.limit().saturating_sub(AHEAD + started.elapsed());
    std::thread::spawn(move || look(&what, &scene, &connection, &sender, until));
    let mut found = BTreeSet::new();
    while let Ok(name) = names.recv_timeout(need.limit().saturating_sub(started.elapsed())) {
        found.insert(name);
    }
    wanted.candidates(found)
}

fn look(
    what: &Lookup,
    scene: &CompletionContext,
    connection: &Connection,
    found: &Sender<Found>,
    limit: Duration,
) {
    // Fails when the time is up and nobody listens.
    let hand_on = |name| drop(found.send(name));
    if let Lookup::Entries(which) = what {
        entries(*which, connection).into_iter().flatten().for_each(hand_on);
        return;
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let _ = runtime.block_on(async {
        let asking = async {
            let cluster = Cluster::connect_unattended(connection).await?;
            Ok::<_, Error>(scene.ask(what, &cluster, hand_on).await?)
        };
        tokio::time::timeout(limit, asking).await
    });
    // Would otherwise wait for a name server that does not answer.
    runtime.shutdown_background();
}

/// Returns the connection that the line describes.
pub(crate) fn connection(line: &Line<'_>) -> Connection {
    let text = |flag| line.value(flag).map(ToOwned::to_owned);
    let path = |flag| line.value(flag).map(files::on_disk);
    Connection {
        kubeconfig: path("kubeconfig"),
        context: text("context"),
        cluster: text("cluster"),
        user: text("user"),
        server: text("server"),
        token: text("token"),
        impersonate: text("as"),
        impersonate_groups: line.values("as-group").map(ToOwned::to_owned).collect(),
        impersonate_uid: text("as-uid"),
        certificate_authority: path("certificate-authority"),
        client_certificate: path("client-certificate"),
        client_key: path("client-key"),
        insecure_skip_tls_verify: line.value("insecure-skip-tls-verify").map(|word| word != "false"),
        tls_server_name: text("tls-server-name"),
        request_timeout: line.value("request-timeout").and_then(|word| parse_duration(word).ok()),
    }
}
