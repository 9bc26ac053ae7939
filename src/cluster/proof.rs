//! Proofs that an answer belongs to the request that was sent.
//!
//! A 200 proves nothing: a gateway's login page has it too, and so does a cache, an empty file, or another
//! service at this address. A success is what the server says of the object. So the kind, version, name,
//! namespace and UID of every answer are compared with those of the request. The rest of it is skipped.

use http::Method;
use kube::core::Status;
use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::call::{Call, Effect, Shape};
use super::place::{Defined, Objects, Subject};

const META: &str = "meta.k8s.io/v1";

/// The reason why an answer is not the one to the request.
pub(super) enum Wrong {
    /// The body is a refusal, although the code says success.
    Refused(Box<Status>),
    /// The thing that came instead, such as `a web page`.
    Instead(&'static str),
}

/// The identity that an answer states.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Identity<'a> {
    kind: String,
    api_version: String,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    /// A word in a `Status`, and in no object.
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    /// The name of an API group.
    name: String,
    /// The version of a group whose resources are listed.
    group_version: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
}

/// A `Status` that confirms a deletion.
#[derive(Deserialize)]
struct Done {
    status: String,
    #[serde(default)]
    details: Option<Named>,
}

/// An answer that is the one to the request.
#[derive(Default)]
pub(super) struct Proof {
    /// The object's, if it is one.
    pub(super) uid: Option<String>,
    pub(super) kept: Kept,
}

/// Whether a change is stored.
#[derive(Default, PartialEq, Eq)]
pub(super) enum Kept {
    #[default]
    Yes,
    /// The object has the version that it had: there was nothing to change, or the change is not there.
    Unclear,
}

const UNCHANGED: Wrong = Wrong::Instead("the object without the change");

/// An item of a list that no server can have stored.
pub(super) const OVERSIZED: &str = "an object that is larger than any";

/// The identity that a page of a list states.
pub(super) struct Head {
    pub(super) kind: String,
    pub(super) api_version: String,
}

/// Proves that a body is the object, or the fact, that a request is about. Returns the UID of the object, if
/// it is one.
///
/// # Errors
/// It is something else.
pub(super) fn of_answer(call: &Call, body: &[u8]) -> Result<Proof, Wrong> {
    let answer: Identity = map(body)?;
    let fact = |fits: bool| if fits { Ok(Proof::default()) } else { Err(Wrong::Instead("something else")) };
    match &call.place.subject {
        Subject::Version => Ok(Proof::default()),
        Subject::Groups => fact(matches!(answer.kind.as_str(), "APIGroupDiscoveryList" | "APIGroupList")),
        Subject::Schemas => fact(answer.kind.is_empty()),
        Subject::Group(group) => fact(answer.kind == "APIGroup" && answer.name == *group),
        Subject::Resources { group_version } => {
            fact(answer.kind == "APIResourceList" && answer.group_version == *group_version)
        }
        Subject::Objects(_) if answer.kind == "Status" => of_status(call, body).map(|()| Proof::default()),
        Subject::Objects(objects) => {
            let whole = answer.kind == objects.kind && answer.api_version == objects.api_version;
            // A server that does not know this form returns the whole object.
            let part = call.shape == Shape::Metadata
                && answer.kind == "PartialObjectMetadata"
                && answer.api_version == META;
            if !(whole || part) {
                return Err(Wrong::Instead("an object of another kind"));
            }
            if answer.status.is_some_and(|status| status.get().starts_with('"')) {
                return Err(Wrong::Instead("an object with the status of an answer"));
            }
            let metadata = answer.metadata.ok_or(Wrong::Instead("an object without metadata"))?;
            let there: Named = map(metadata.get().as_bytes())?;
            // A write that is to hold for this version would hold for every one.
            if call.method == Method::GET && there.resource_version.is_empty() {
                return Err(Wrong::Instead("an object without a version"));
            }
            let kept = kept(call, &there, body);
            let uid = of_identity(call, objects, there)?;
            Ok(Proof { uid: Some(uid), kept: kept? })
        }
    }
}

/// Reads a map: serde would accept a list for a struct as well.
fn map<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Wrong> {
    let read = serde_json::from_slice(text).map_err(|error| instead(&error, text))?;
    if text.trim_ascii_start().starts_with(b"{") {
        Ok(read)
    } else {
        Err(Wrong::Instead("JSON of another form"))
    }
}

fn of_identity(call: &Call, objects: &Objects, there: Named) -> Result<String, Wrong> {
    let name = objects.name.as_deref().or(call.name.as_deref());
    let is_named = name.map_or(!there.name.is_empty(), |name| there.name == name);
    let is_placed = objects.namespace.as_deref().is_none_or(|namespace| there.namespace == namespace);
    let is_it = call.uid.as_deref().map_or(!there.uid.is_empty(), |uid| there.uid == uid);
    match (is_named && is_placed, is_it) {
        (true, true) => Ok(there.uid),
        (true, false) if there.uid.is_empty() => Err(Wrong::Instead("an object without a UID")),
        (true, false) => Err(Wrong::Instead("another object of that name")),
        (false, _) => Err(Wrong::Instead("another object")),
    }
}

/// Returns whether the answer shows that what was sent is stored.
///
/// An object that is stored has a version; one that a dry run made has none. A change that is stored gives the object
/// another version, unless there was nothing to change: then all that was sent is there.
fn kept(call: &Call, there: &Named, body: &[u8]) -> Result<Kept, Wrong> {
    if call.effect() != Effect::Unknown || call.method == Method::DELETE {
        return Ok(Kept::Yes);
    }
    if there.resource_version.is_empty() {
        return Err(UNCHANGED);
    }
    match &call.version {
        Some(sent) if *sent == there.resource_version => {}
        _ => return Ok(Kept::Yes),
    }
    if call.shape == Shape::Metadata {
        return Ok(Kept::Unclear);
    }
    of_content(call, body).map(|()| Kept::Yes)
}

/// Proves that an object has all that was sent.
///
/// # Errors
/// It has not.
pub(super) fn of_content(call: &Call, body: &[u8]) -> Result<(), Wrong> {
    let (mut sent, there): (Value, Value) = (map(&call.body)?, map(body)?);
    if let Some(metadata) = sent["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    if has(&there, &sent) { Ok(()) } else { Err(UNCHANGED) }
}

/// Returns whether all of `sent` is in an object. What is null or empty need not be there.
fn has(there: &Value, sent: &Value) -> bool {
    match sent {
        Value::Null => true,
        Value::Array(sent) => sent.is_empty() || there.as_array() == Some(sent),
        Value::Object(sent) => sent.iter().all(|(field, sent)| match sent {
            Value::Null => there[field].is_null(),
            sent => has(&there[field], sent),
        }),
        sent => sent == there,
    }
}

/// Proves a `Status`, which is the answer to a deletion and to nothing else.
fn of_status(call: &Call, body: &[u8]) -> Result<(), Wrong> {
    let done: Done = map(body)?;
    if done.status != "Success" {
        return Err(Wrong::Refused(Box::new(map(body)?)));
    }
    if call.method != Method::DELETE {
        return Err(Wrong::Instead("a success status without the object"));
    }
    let Some(Named { name, uid, .. }) = done.details else { return Ok(()) };
    let is_named = name.is_empty() || call.place.object().and_then(|it| it.name.as_ref()) == Some(&name);
    let is_it = uid.is_empty() || call.uid.as_ref().is_none_or(|wanted| *wanted == uid);
    if is_named && is_it { Ok(()) } else { Err(Wrong::Instead("a success status for another object")) }
}

/// Proves that a page that could be read belongs to the list that a request is about.
///
/// # Errors
/// It is something else.
pub(super) fn of_page(call: &Call, head: &Head) -> Result<(), Wrong> {
    let Some(Objects { kind, api_version, defined, .. }) = call.place.object() else {
        return Err(Wrong::Instead("something else"));
    };
    let has = |kind: &str, version: &str| head.kind == kind && head.api_version == version;
    let list = match defined {
        Defined::BuiltIn => has(&format!("{kind}List"), api_version),
        Defined::Custom => head.kind.ends_with("List") && head.api_version == *api_version,
    };
    let is_it = match call.shape {
        Shape::Whole => list,
        Shape::Metadata => list || has("PartialObjectMetadataList", META),
        Shape::Table => has("Table", META),
    };
    if is_it { Ok(()) } else { Err(Wrong::Instead("a list of something else")) }
}

/// Describes a page that could not be read.
pub(super) fn of_unreadable_page(call: &Call, error: &serde_json::Error, body: &[u8]) -> Wrong {
    if error.to_string().starts_with(OVERSIZED) {
        return Wrong::Instead(OVERSIZED);
    }
    match map::<Identity>(body) {
        Ok(answer) if answer.kind == "Status" => match of_status(call, body) {
            Err(wrong) => wrong,
            Ok(()) => Wrong::Instead("no list"),
        },
        Ok(_) => Wrong::Instead("JSON that is not such a list"),
        Err(_) => instead(error, body),
    }
}

/// Describes a text that could not be read. serde's own words quote it, and it may hold a value.
pub(super) fn instead(error: &serde_json::Error, body: &[u8]) -> Wrong {
    let text = body.trim_ascii_start();
    Wrong::Instead(match error.classify() {
        _ if text.is_empty() => "nothing at all",
        _ if text.starts_with(b"<") => "a web page",
        Category::Data => "JSON of another form",
        Category::Eof => "part of an answer",
        Category::Syntax | Category::Io => "something other than JSON",
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::super::call::{Beside, Dependents};
    use super::super::place::Place;
    use super::super::{Keep, Write};
    use super::*;

    const WRITE: Write<'static> = Write { field_manager: "test", validation: "Strict", keep: Keep::Yes };

    fn secret() -> Value {
        json!({"kind": "Secret", "apiVersion": "v1", "metadata": {
            "name": "x", "namespace": "ns", "uid": "1", "resourceVersion": "2",
        }})
    }

    fn part() -> Value {
        json!({"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": secret()["metadata"]})
    }

    fn create() -> Call {
        let body = Bytes::from_static(br#"{"metadata":{"name":"x"},"data":{"k":"dg=="}}"#);
        Call::create(Place::secrets(Some("ns")), body, WRITE)
    }

    fn change() -> Call {
        let body = Bytes::from_static(br#"{"metadata":{"uid":"1"}}"#);
        Call::merge_patch(Place::secret("ns", "x"), body, WRITE)
    }

    fn delete() -> Call {
        Call::delete(Place::secret("ns", "x"), "1", "7", Dependents::None, Keep::Yes)
    }

    fn calls() -> [Call; 4] {
        [create(), change(), delete(), Call::get(Place::secret("ns", "x"))]
    }

    #[test]
    fn the_object_itself_is_the_proof_whole_or_by_its_metadata() {
        for call in calls() {
            assert!(of_answer(&call, secret().to_string().as_bytes()).is_ok());
            assert!(of_answer(&call, part().to_string().as_bytes()).is_err(), "nobody asked for that form");
            let call = call.metadata_only();
            for answer in [secret(), part()] {
                assert!(of_answer(&call, answer.to_string().as_bytes()).is_ok(), "{answer}");
            }
        }
        let gone = json!({"kind": "Status", "apiVersion": "v1", "status": "Success", "details": {"name": "x", "uid": "1"}});
        assert!(of_answer(&delete(), gone.to_string().as_bytes()).is_ok());
        assert!(of_answer(&create(), gone.to_string().as_bytes()).is_err());
    }

    #[test]
    fn an_object_that_is_read_has_a_version() {
        let mut answer = secret();
        for version in [json!(""), Value::Null] {
            answer["metadata"]["resourceVersion"] = version;
            let read = Call::get(Place::secret("ns", "x"));
            assert!(of_answer(&read, answer.to_string().as_bytes()).is_err(), "{answer}");
        }
    }

    #[test]
    fn nothing_else_is_a_proof() {
        let with = |pointer: &str, value: Value| {
            let mut answer = secret();
            if let Some(field) = answer.pointer_mut(pointer) {
                *field = value;
            }
            answer.to_string()
        };
        let mut answers: Vec<String> = [
            "",
            " ",
            "<html></html>",
            "{}",
            "[]",
            "null",
            "1",
            "ok",
            "{\"kind\":\"Secret\"",
            "{\"metadata\":{}}",
        ]
        .map(str::to_owned)
        .into();
        for pointer in ["/kind", "/apiVersion", "/metadata/name", "/metadata/namespace", "/metadata/uid"] {
            answers.extend(["", "other"].map(|text| with(pointer, text.into())));
            answers.extend([with(pointer, Value::Null), with(pointer, json!([]))]);
        }
        answers.push(r#"{"kind":"Secret","apiVersion":"v1","metadata":["x","ns","1"]}"#.to_owned());
        let mut failed = secret();
        failed["status"] = json!("Failure");
        answers.push(failed.to_string());
        answers.push(r#"["Secret","v1",{"name":"x","namespace":"ns","uid":"1"},"",""]"#.to_owned());
        answers.push(
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 200}).to_string(),
        );
        answers.push(json!({"kind": "Status", "status": "Success", "details": {"name": "y"}}).to_string());
        answers.push(
            json!({"kind": "Status", "status": "Success", "details": {"name": "x", "uid": "2"}}).to_string(),
        );
        answers
            .push(json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": []}).to_string());
        for call in calls() {
            for answer in &answers {
                // The UID of a new object, or of one that is only read, is not known beforehand.
                let unknown = call.uid.is_none() && *answer == with("/metadata/uid", "other".into());
                assert!(of_answer(&call, answer.as_bytes()).is_err() || unknown, "{answer}");
            }
        }
    }

    #[test]
    fn a_list_is_one_of_what_was_asked_for() {
        let head =
            |kind: &str, version: &str| Head { kind: kind.to_owned(), api_version: version.to_owned() };
        let call = || Call::get(Place::secrets(None));
        let (whole, part, table) =
            (head("SecretList", "v1"), head("PartialObjectMetadataList", META), head("Table", META));
        assert!(of_page(&call(), &whole).is_ok() && of_page(&call(), &part).is_err());
        assert!(
            of_page(&call().metadata_list(), &whole).is_ok()
                && of_page(&call().metadata_list(), &part).is_ok()
        );
        let rows = || call().table(Beside::Nothing);
        assert!(of_page(&rows(), &table).is_ok() && of_page(&rows(), &whole).is_err());
        for other in [head("", ""), head("ConfigMapList", "v1"), head("SecretList", "v2"), head("List", "v1")]
        {
            for call in [call(), call().metadata_list(), rows()] {
                assert!(of_page(&call, &other).is_err(), "{}", other.kind);
            }
        }
    }
}
