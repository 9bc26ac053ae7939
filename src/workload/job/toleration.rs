//! Taints of nodes that a job tolerates.

use serde_json::{Value, json};

use super::entries::Form;
use crate::error::Result;

const FORM: Form<'_> = Form {
    flag: "--toleration",
    keys: &["operator", "key", "value", "effect", "seconds"],
    example: "operator=Exists,key=nvidia.com/gpu,effect=NoSchedule",
};

/// One toleration, in the API's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toleration(Value);

impl Toleration {
    /// Parses Run:ai's `operator=Equal|Exists,key=KEY,value=VALUE,effect=EFFECT,seconds=SECONDS`.
    ///
    /// # Errors
    /// The text has another form, or its parts contradict each other.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let entries = FORM.parse(text)?;
        let operator = entries.one_of("operator", &["Equal", "Exists"])?;
        let effect = entries.one_of("effect", &["NoSchedule", "NoExecute", "PreferNoSchedule"])?;
        let (key, value) = (entries.get("key"), entries.get("value"));
        let seconds = entries.get("seconds").map(str::parse::<u32>).transpose();
        let seconds = seconds.map_err(|_| FORM.refusal("has seconds= that are not a whole number"))?;
        if operator == Some("Exists") && value.is_some() {
            return Err(FORM.refusal("has a value, and with operator=Exists there is none to compare it to"));
        }
        if operator != Some("Exists") && key.is_none() {
            return Err(FORM.refusal("lacks key=, and only operator=Exists does without"));
        }
        if seconds.is_some() && effect != Some("NoExecute") {
            return Err(FORM.refusal("has seconds=, which only effect=NoExecute knows"));
        }
        let all = [
            ("operator", operator.map(Value::from)),
            ("key", key.map(Value::from)),
            ("value", value.map(Value::from)),
            ("effect", effect.map(Value::from)),
            ("tolerationSeconds", seconds.map(|seconds| json!(seconds))),
        ];
        let given = all.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
        Ok(Self(Value::Object(given.collect())))
    }

    pub(super) fn manifest(&self) -> Value {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toleration_is_what_run_ai_writes_in_one_word() {
        let all = "operator=Equal,key=dedicated,value=ml,effect=NoExecute,seconds=60";
        let expected = json!({"operator": "Equal", "key": "dedicated", "value": "ml", "effect": "NoExecute",
                              "tolerationSeconds": 60});
        assert_eq!(Toleration::parse(all).unwrap().manifest(), expected);
        assert_eq!(Toleration::parse("operator=Exists").unwrap().manifest(), json!({"operator": "Exists"}));
    }

    #[test]
    fn what_the_server_would_refuse_is_refused_before() {
        for (text, part) in [
            ("operator=Exists,key=a,value=b", "there is none to compare"),
            ("operator=Equal,value=b", "lacks key="),
            ("operator=exists,key=a", "operator=\"exists\""),
            ("key=a,effect=None", "effect=\"None\""),
            ("key=a,seconds=5", "only effect=NoExecute"),
            ("key=a,effect=NoExecute,seconds=-5", "not a whole number"),
            ("dedicated=ml:NoSchedule", "\"dedicated\" is not one of"),
            ("key=a,key=b", "gives key twice"),
            ("", "is not one of"),
        ] {
            let refusal = Toleration::parse(text).unwrap_err().to_string();
            assert!(refusal.starts_with("error: --toleration ") && refusal.contains(part), "{refusal}");
        }
    }
}
