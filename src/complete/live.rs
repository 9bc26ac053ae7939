//! Names from the kubeconfig and from the cluster, as many as come before the time is up.
//!
//! Whoever presses Tab waits with their hands on the keys. So the looking is done by a thread of its own, which hands on
//! each name as it learns it, and is left alone where it hangs: a name server that does not answer can't be interrupted.

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

/// After this long nobody waits any more. With the start of the program and kubectl's it stays below 1.5 s.
const LIMIT: Duration = Duration::from_millis(1350);
/// The looking ends a little earlier by itself, and takes a credential plugin that hangs with it.
const LIMIT_OF_LOOKING: Duration = Duration::from_millis(1250);

/// The names that are wanted, in alphabetical order. Never an error: what can't be looked up is not offered.
pub(super) fn candidates(wanted: &Live, line: &Line<'_>, started: Instant) -> Vec<Candidate> {
    let (what, scene, own) = (wanted.what.clone(), CompletionContext::of(line), connection(line));
    let connection = match &wanted.context {
        Some(context) => own.to_other_context(context),
        None => own,
    };
    let (sender, names) = channel();
    std::thread::spawn(move || look(&what, &scene, &connection, &sender, started));
    let mut found = BTreeSet::new();
    while let Ok(name) = names.recv_timeout(LIMIT.saturating_sub(started.elapsed())) {
        found.insert(name);
    }
    wanted.candidates(found)
}

fn look(
    what: &Lookup,
    scene: &CompletionContext,
    connection: &Connection,
    found: &Sender<Found>,
    started: Instant,
) {
    // Nobody listens any more: the time is up.
    let hand_on = |name| drop(found.send(name));
    if let Lookup::Entries(which) = what {
        entries(*which, connection).into_iter().flatten().for_each(hand_on);
        return;
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let limit = LIMIT_OF_LOOKING.saturating_sub(started.elapsed());
    let _ = runtime.block_on(async {
        let asking = async {
            let cluster = Cluster::connect_unattended(connection).await?;
            Ok::<_, Error>(scene.ask(what, &cluster, hand_on).await?)
        };
        tokio::time::timeout(limit, asking).await
    });
    // A name server that does not answer would be waited for.
    runtime.shutdown_background();
}

/// The connection that the line describes.
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
