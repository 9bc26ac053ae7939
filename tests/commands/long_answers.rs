//! Answers that go on and on: each is given up in time and before it fills the memory, and it is said why.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use support::{Fault, Flood, Outcome, Sandbox, World};

/// Far from every limit of the program's own, for a machine that is busy.
const IN_TIME: Duration = Duration::from_secs(9);

/// A server without TLS that answers every request so.
fn answering(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Copy + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut vec![0; 65_536]);
                // It ends when the other side has hung up.
                let _ = answer(&mut stream);
            });
        }
    });
    format!("http://{address}")
}

fn look(server: &str, limit: &str) -> (Outcome, Duration) {
    let started = Instant::now();
    let words = ["view", "s", "-n", "d", "--kubeconfig=/dev/null", "-s", server, "--request-timeout", limit];
    let outcome = Sandbox::new().run(words).fails_with(1);
    (outcome, started.elapsed())
}

#[test]
fn a_flood_of_interim_answers_is_given_up_and_named() {
    let flood = answering(|stream| {
        let interim = ["HTTP/1.1 102 Processing\r\n", &"a: b\r\n".repeat(90), "\r\n"].concat();
        let many = interim.repeat(1_000);
        loop {
            stream.write_all(many.as_bytes())?;
        }
    });
    for limit in ["4s", "0"] {
        let (outcome, took) = look(&flood, limit);
        assert!(
            outcome.stderr.contains("sends interim answers (HTTP 1xx) and no answer\nhint: "),
            "{outcome}"
        );
        assert!(took < IN_TIME, "{took:?}");
    }
}

#[test]
fn what_trickles_is_given_up_in_time() {
    let interim = answering(|stream| {
        loop {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n")?;
            thread::sleep(Duration::from_millis(100));
        }
    });
    let head = answering(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            stream.write_all(b"a")?;
            thread::sleep(Duration::from_millis(50));
        }
    });
    let body = answering(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
        loop {
            stream.write_all(b"1\r\n \r\n")?;
            thread::sleep(Duration::from_millis(50));
        }
    });
    for server in [interim, head, body] {
        let (outcome, took) = look(&server, "2s");
        assert!(outcome.stderr.contains("did not answer within 2 s"), "{outcome}");
        assert!(took < IN_TIME, "{took:?}");
    }
}

#[test]
fn a_few_interim_answers_are_passed_over() {
    let server = answering(|stream| {
        stream.write_all("HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n".repeat(50).as_bytes())?;
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
    });
    let (outcome, _) = look(&server, "20s");
    assert!(outcome.stderr.contains("403 (Forbidden)"), "{outcome}");
}

#[test]
fn an_answer_that_is_padded_is_refused_with_the_limit() {
    let world = World::in_process();
    let sandbox = Sandbox::new().with(&world);
    let namespace = world.namespace("a");
    let object = |padding: &str| {
        let metadata = json!({"name": "web", "namespace": namespace, "uid": "1", "resourceVersion": "1"});
        let start = json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": metadata}).to_string();
        format!("{},{padding}}}", start.trim_end_matches('}').to_owned() + "}")
    };
    let attach = ["attach", "s", "deploy/web", "--env", "k", "-n", &namespace];
    world.create_secret(&namespace, "s", &[("k", "v4lue")]);
    for (padding, limit) in [
        (format!("\"x\":\"{}\"", "y".repeat(4 << 20)), "over 3 MiB, the most that is read of one object\n"),
        (format!("{}\"x\":0", " ".repeat(4 << 20)), "over 3 MiB, the most that is read of one object\n"),
        (
            format!("\"x\":[{}0]", "{\"\":0},".repeat(210_000)),
            "over 200000 maps and lists, the most that is read of one object\n",
        ),
    ] {
        world.clear_faults();
        let fault = Fault::on("GET", "/deployments/web").for_ever();
        world.fail(fault.serve(200, "application/json", &object(&padding)));
        let outcome = sandbox.run(attach).fails_with(1);
        let said = format!("sends an answer that is too long: {limit}");
        assert!(outcome.stderr.contains(&said), "{said}: {outcome}");
    }
    world.clear_faults();
    world.fail(Fault::on("GET", "/secrets?").for_ever().flood(Flood::Plain));
    let outcome = sandbox.run(["list", "-n", &namespace]).fails_with(1);
    let said =
        "sends an answer that is too long: over 128 MiB, the most that is read of one page of a list\n";
    assert!(outcome.stderr.contains(said), "{outcome}");
}
