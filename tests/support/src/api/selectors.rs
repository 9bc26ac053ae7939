//! Label and field selectors, as the API server reads them.

use serde_json::Value;

use super::failure::Failure;
use super::resources::Resource;
use super::store::text;

/// One condition on labels or fields; all must hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Requirement {
    /// Returns true if it holds for the results of `value_of`.
    pub(crate) fn holds<'a>(&self, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        let is_one_of =
            |key: &str, values: &[String]| value_of(key).is_some_and(|is| values.iter().any(|v| v == is));
        match self {
            Requirement::In(key, values) => is_one_of(key, values),
            Requirement::NotIn(key, values) => !is_one_of(key, values),
            Requirement::Exists(key) => value_of(key).is_some(),
            Requirement::Missing(key) => value_of(key).is_none(),
        }
    }
}

/// Returns true if an object has the labels that a parsed `labelSelector` asks for.
pub(crate) fn labels_match(requirements: &[Requirement], object: &Value) -> bool {
    let labels = &object["metadata"]["labels"];
    requirements.iter().all(|requirement| requirement.holds(|key| labels.get(key).and_then(Value::as_str)))
}

/// Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
pub(crate) fn parse_labels(selector: &str) -> Result<Vec<Requirement>, Failure> {
    let mut tokens = tokenize(selector).into_iter().peekable();
    let mut requirements = Vec::new();
    while let Some(token) = tokens.next() {
        let requirement = if token == "!" {
            Requirement::Missing(tokens.next().unwrap_or_default())
        } else {
            parse_requirement(token, &mut tokens)?
        };
        requirements.push(requirement);
        match tokens.next().as_deref() {
            None | Some(",") => {}
            Some(other) => {
                return Err(Failure::bad_request(format!(
                    "unable to parse requirement: found '{other}', expected: ',' or 'end of string'"
                )));
            }
        }
    }
    Ok(requirements)
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<String>>;

fn parse_requirement(key: String, tokens: &mut Tokens) -> Result<Requirement, Failure> {
    let operator = match tokens.peek().map(String::as_str) {
        None | Some(",") => return Ok(Requirement::Exists(key)),
        Some(_) => tokens.next().unwrap_or_default(),
    };
    match operator.as_str() {
        "=" | "==" | "!=" => {
            let empty = tokens.peek().is_none_or(|next| next == ",");
            let value = if empty { String::new() } else { tokens.next().unwrap_or_default() };
            let values = vec![value];
            Ok(if operator == "!=" { Requirement::NotIn(key, values) } else { Requirement::In(key, values) })
        }
        "in" | "notin" => {
            let mut values = Vec::new();
            for token in tokens.by_ref() {
                match token.as_str() {
                    "(" | "," => {}
                    ")" => break,
                    _ => values.push(token),
                }
            }
            Ok(if operator == "in" { Requirement::In(key, values) } else { Requirement::NotIn(key, values) })
        }
        other => Err(Failure::bad_request(format!(
            "unable to parse requirement: found '{other}', expected: in, notin, =, ==, !=, gt, lt"
        ))),
    }
}

fn tokenize(selector: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut characters = selector.chars().peekable();
    while let Some(character) = characters.next() {
        if !matches!(character, ',' | '(' | ')' | '!' | '=' | ' ') {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        match character {
            ' ' => {}
            '!' | '=' if characters.next_if_eq(&'=').is_some() => tokens.push(format!("{character}=")),
            _ => tokens.push(character.to_string()),
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

/// Parses `metadata.name=x,type!=y` for a resource that has these fields.
pub(crate) fn parse_fields(selector: &str, resource: &Resource) -> Result<Vec<Requirement>, Failure> {
    selector
        .split(',')
        .filter(|part| !part.trim().is_empty())
        .map(|part| parse_field(part, resource))
        .collect()
}

fn parse_field(part: &str, resource: &Resource) -> Result<Requirement, Failure> {
    let (key, value, equal) = if let Some((key, value)) = part.split_once("!=") {
        (key, value, false)
    } else if let Some((key, value)) = part.split_once('=') {
        (key, value.trim_start_matches('='), true)
    } else {
        return Err(Failure::bad_request(format!("invalid selector: '{part}'; can't understand '{part}'")));
    };
    let known = match key {
        "metadata.name" | "metadata.namespace" => true,
        "type" => resource.is("Secret"),
        "status.phase" => resource.is("Pod") || resource.is("Namespace"),
        "spec.nodeName" | "status.podIP" => resource.is("Pod"),
        "involvedObject.name" | "involvedObject.uid" | "involvedObject.kind" | "reason" => {
            resource.is("Event")
        }
        "status.successful" => resource.is("Job"),
        _ => false,
    };
    if !known {
        return Err(Failure::bad_request(format!("field label not supported: {key}")));
    }
    let values = vec![value.to_owned()];
    Ok(if equal { Requirement::In(key.into(), values) } else { Requirement::NotIn(key.into(), values) })
}

/// Returns true if an object's fields have the values that a parsed `fieldSelector` asks for.
pub(crate) fn fields_match(requirements: &[Requirement], object: &Value) -> bool {
    let field = |path: &str| Some(text(object, &format!("/{}", path.replace('.', "/"))));
    requirements.iter().all(|requirement| requirement.holds(field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(selector: &str, labels: &Value) -> bool {
        let requirements = parse_labels(selector).expect("a selector");
        labels_match(&requirements, &json!({"metadata": {"labels": labels}}))
    }

    #[test]
    fn every_operator_reads_as_in_kubernetes() {
        assert!(selects("", &json!({})));
        assert!(selects("a=1,b==2", &json!({"a": "1", "b": "2"})));
        assert!(!selects("a=1,b=2", &json!({"a": "1"})));
        assert!(selects("a in (1, 2),!c", &json!({"a": "2"})));
        assert!(!selects("!a", &json!({"a": ""})));
        assert!(selects("a", &json!({"a": ""})));
        assert!(selects("a=", &json!({"a": ""})));
    }

    #[test]
    fn a_label_that_is_missing_is_also_not_equal() {
        assert!(selects("a!=1", &json!({})));
        assert!(selects("a notin (1,2)", &json!({})));
        assert!(!selects("a notin (1,2)", &json!({"a": "2"})));
    }

    #[test]
    fn what_is_no_operator_is_refused() {
        assert!(parse_labels("a b c").is_err());
        assert!(parse_labels("a in (b) c").is_err());
    }
}
