//! Over HTTP/2 one connection is enough, and a request that the server says it did nothing with is sent again.

use support::{End, Fault, Protocols, Sandbox, World, scenario};

#[scenario]
fn all_requests_share_one_connection(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    world.create_secret(&project.namespace, "s", &[("k", "v4lue")]);
    let before = world.connections();
    sandbox.run(["usage", "s", "-n", &project.namespace]).success();
    sandbox.run(["set", "s", "--generate=k", "-n", &project.namespace]).success();
    sandbox.run(["check", "-n", &project.namespace]).success();
    assert_eq!(world.connections() - before, 3, "one for each command: {:?}", world.calls());
}

#[scenario]
fn a_server_or_proxy_that_speaks_http1_alone_is_understood(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    world.speak(Protocols::Http1);
    let create = sandbox.run(["create", "s", "--generate=k", "-n", &project.namespace]).success();
    assert_eq!(create.stdout, "secret/s created\n");
    sandbox.run(["usage", "s", "-n", &project.namespace]).success();
}

#[scenario]
fn who_turns_http2_off_as_for_kubectl_gets_http1(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    world.create_secret(&project.namespace, "s", &[("k", "v4lue")]);
    let before = world.connections();
    sandbox.env("DISABLE_HTTP2", "1").run(["usage", "s", "-n", &project.namespace]).success();
    assert!(world.connections() - before > 1, "each request under way has a connection of its own");
}

#[scenario]
fn a_server_that_allows_one_stream_is_asked_one_by_one(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    world.create_secret(&project.namespace, "s", &[("k", "v4lue")]);
    world.speak(Protocols::OneStream);
    let before = world.connections();
    world.clear_log();
    sandbox.run(["usage", "s", "-n", &project.namespace]).success();
    assert_eq!(world.connections() - before, 1);
    assert!(world.requests().len() > 3, "{:?}", world.calls());
}

#[scenario]
fn a_request_that_the_server_says_it_did_not_read_is_sent_again(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    for (name, end) in [("refused", End::RefusedStream), ("gone", End::GoAwayBefore)] {
        world.clear_log();
        world.fail(Fault::on("POST", "/secrets").kept().end(end));
        let created = sandbox.run(["create", name, "--generate=k", "-n", &project.namespace]).success();
        assert_eq!(created.stdout, format!("secret/{name} created\n"));
        let posts = world.writes().iter().filter(|write| !write.is_dry_run()).count();
        assert_eq!(posts, 2, "{end:?}: {:?}", world.calls());
    }
}

#[scenario]
fn a_server_that_says_so_for_ever_is_not_asked_for_ever(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    for end in [End::RefusedStream, End::GoAwayBefore] {
        world.clear_faults();
        world.clear_log();
        world.fail(Fault::on("POST", "/secrets").kept().for_ever().end(end));
        let refused = sandbox.run(["create", "s", "--generate=k", "-n", &project.namespace]).fails_with(1);
        assert!(refused.stderr.contains("turned the request away"), "{refused}");
        assert!(!refused.stderr.contains("not known"), "it is known that nothing was done: {refused}");
        assert!(world.requests().len() < 10, "{:?}", world.calls());
        let path = format!("/api/v1/namespaces/{}/secrets/s", project.namespace);
        assert!(world.get(&path).is_none(), "{refused}");
    }
}

#[scenario]
fn a_server_that_shuts_down_between_two_requests_is_asked_on_a_new_connection(
    world: &World,
    sandbox: &Sandbox,
) {
    let project = world.project("a");
    world.create_secret(&project.namespace, "s", &[("k", "v4lue")]);
    world.fail(Fault::on("GET", "/secrets/s").end(End::GoAwayAfter));
    let before = world.connections();
    let set = sandbox.run(["set", "s", "--generate=k", "-n", &project.namespace]).success();
    assert!(set.stdout.contains("secret/s"), "{set}");
    assert_eq!(world.connections() - before, 2, "{:?}", world.calls());
}

#[scenario]
fn a_write_is_not_sent_twice_where_it_may_have_been_carried_out(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    for fault in [
        Fault::on("POST", "/secrets").kept().drop_after_forwarding(),
        Fault::on("POST", "/secrets").kept().end(End::Connection),
    ] {
        world.clear_faults();
        world.clear_log();
        world.fail(fault);
        let lost = sandbox.run(["create", "s", "--generate=k", "-n", &project.namespace]).fails_with(1);
        assert!(lost.stderr.contains("not known"), "{lost}");
        let posts = world.writes().iter().filter(|write| !write.is_dry_run()).count();
        assert_eq!(posts, 1, "{:?}", world.calls());
        sandbox.run(["delete", "s", "-n", &project.namespace, "--yes", "--ignore-not-found"]);
    }
}

#[scenario]
fn reads_are_sent_again_where_a_connection_breaks_under_all_of_them(world: &World, sandbox: &Sandbox) {
    let project = world.project("a");
    world.create_secret(&project.namespace, "s", &[("k", "v4lue")]);
    world.fail(Fault::on("GET", "/pods").end(End::Connection));
    let usage = sandbox.run(["usage", "s", "-n", &project.namespace]).success();
    assert!(!usage.stderr.contains("closed the connection"), "{usage}");
}
