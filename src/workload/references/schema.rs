//! Tells whether objects of a kind can refer to secrets at all, by the schemas that the server publishes
//! (`OpenAPI` 3).

use std::collections::BTreeSet;

use serde_json::Value;

use super::forms;
use crate::workload::kind::{Kind, Version};
use crate::workload::tree::{is_true, list, text};

/// The number of places of a schema that are looked at; a larger one may hold anything.
const MOST: usize = 200_000;

/// Returns true if a field of the kind has the form of a reference or may hold anything, and if the document
/// does not have the kind.
pub(crate) fn may_refer_to_secrets(document: &Value, kind: &Kind) -> bool {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    let own = schemas.into_iter().flatten().map(|(_, schema)| schema).find(|schema| is_of(schema, kind));
    let Some(own) = own else { return true };
    let mut places = Places { document, met: BTreeSet::new(), left: MOST };
    let fields = own["properties"].as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| !forms::SKIPPED.contains(&name.as_str()));
    let is_open = own["properties"].is_null() || is_true(own, "x-kubernetes-preserve-unknown-fields");
    is_open || fields.into_iter().any(|(name, schema)| places.may_refer(name, schema))
}

fn is_of(schema: &Value, kind: &Kind) -> bool {
    let Version::Served(version) = kind.version else { return false };
    let is_it = |one: &Value| {
        [text(one, "group"), text(one, "version"), text(one, "kind")] == [kind.group, version, kind.name]
    };
    list(schema, "x-kubernetes-group-version-kind").iter().any(is_it)
}

struct Places<'a> {
    document: &'a Value,
    /// The shared schemas that were looked at.
    met: BTreeSet<&'a str>,
    left: usize,
}

impl<'a> Places<'a> {
    fn may_refer(&mut self, name: &str, schema: &'a Value) -> bool {
        if self.left == 0 || forms::is_for_secrets(name) {
            return true;
        }
        self.left -= 1;
        if let Some(place) = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#')) {
            return self.met.insert(place)
                && self.document.pointer(place).is_none_or(|schema| self.may_refer(name, schema));
        }
        let properties = schema["properties"].as_object();
        let is_open = text(schema, "type") == "object"
            && properties.is_none()
            && !is_map_of_leaves(&schema["additionalProperties"]);
        if is_true(schema, "x-kubernetes-preserve-unknown-fields")
            || is_open
            || properties.is_some_and(forms::has_fields_of_selector)
        {
            return true;
        }
        let parts = ["items", "additionalProperties"].into_iter().map(|part| (name, &schema[part]));
        let several = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|part| list(schema, part));
        let parts = parts.chain(several.map(|schema| (name, schema)));
        let fields = properties.into_iter().flatten().map(|(field, schema)| (field.as_str(), schema));
        parts.chain(fields).any(|(name, schema)| schema.is_object() && self.may_refer(name, schema))
    }
}

/// Returns true for labels and the like: no name of a field in them would make a text a reference.
fn is_map_of_leaves(values: &Value) -> bool {
    matches!(text(values, "type"), "string" | "integer" | "number" | "boolean")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workload::kind::ServedKind;

    fn served(name: &str) -> &'static Kind {
        let [group, version, name] = ["example.com", "v1", name].map(str::to_owned);
        Kind::served(&ServedKind { group, versions: vec![version], name, ..ServedKind::default() }, &[])
    }

    fn may(spec: &Value) -> bool {
        let kind = served("Frob");
        let metadata = json!({"allOf": [{"$ref": "#/components/schemas/Meta"}]});
        let own = json!({"type": "object", "properties": {"apiVersion": {"type": "string"}, "metadata": metadata,
                "spec": spec, "status": {"type": "object", "properties": {"secretName": {"type": "string"}}}},
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Frob"}]});
        let round =
            json!({"type": "object", "properties": {"again": {"$ref": "#/components/schemas/Round"}}});
        let document =
            json!({"components": {"schemas": {"Frob": own, "Meta": {"type": "object"}, "Round": round}}});
        may_refer_to_secrets(&document, kind)
    }

    fn object(name: &str, schema: &Value) -> Value {
        json!({"type": "object", "properties": {name: schema}})
    }

    #[test]
    fn a_kind_may_refer_where_a_field_has_the_form_or_may_hold_anything() {
        let word = json!({"type": "string"});
        let selector = json!({"type": "object", "properties": {"name": word, "key": word, "optional": {"type": "boolean"}}});
        for spec in [
            object("secretName", &word),
            object(
                "list",
                &json!({"type": "array", "items": object("secretRef", &json!({"type": "object"}))}),
            ),
            object("map", &json!({"type": "object", "additionalProperties": object("authSecret", &word)})),
            object("username", &selector),
            object("values", &json!({"x-kubernetes-preserve-unknown-fields": true})),
            json!({"type": "object"}),
        ] {
            assert!(may(&spec), "{spec}");
        }
        for spec in [
            object("replicas", &json!({"type": "integer"})),
            object("labels", &json!({"type": "object", "additionalProperties": {"type": "string"}})),
            object("again", &json!({"$ref": "#/components/schemas/Round"})),
        ] {
            assert!(!may(&spec), "{spec}");
        }
        let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"kind": {"type": "string"}},
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Frob"}]});
        let frob = served("Frob");
        assert!(may_refer_to_secrets(&json!({"components": {"schemas": {"Frob": any}}}), frob));
        let other = served("Other");
        assert!(may_refer_to_secrets(&json!({"components": {"schemas": {}}}), other), "it is not described");
    }
}
