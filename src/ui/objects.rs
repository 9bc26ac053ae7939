//! Prints objects in the form that a program asked for.

use serde::Serialize;
use zeroize::Zeroizing;

use super::{Table, Ui};
use crate::error::Result;
use crate::fields::{Content, Fields};
use crate::flags::{DataForm, Head};
use crate::printable::printable;
use crate::render;

impl Ui {
    /// Prints an object.
    ///
    /// # Errors
    /// Standard output can't be written to; the object has no such fields.
    pub(crate) fn object(&self, object: &impl Serialize, form: &DataForm, head: Head) -> Result<()> {
        match form {
            DataForm::Json => self.data(&render::json(object)),
            DataForm::Yaml => self.data(&render::yaml(object)),
            DataForm::Fields(fields) => self.fields(&render::json(object), fields, head),
        }
    }

    /// Prints fields of objects that are JSON already. A terminal gets no character that moves the cursor.
    ///
    /// # Errors
    /// As for [`Self::object`].
    pub(crate) fn fields(&self, json: &[u8], fields: &Fields, head: Head) -> Result<()> {
        let text = self.text_of_fields(json, fields, head)?;
        if self.data_is_seen() {
            return self.data(shown(&String::from_utf8_lossy(&text)).as_bytes());
        }
        self.data(&text)
    }

    /// Returns the text of these fields. Warns of one that is not there, if nothing was found for that.
    ///
    /// # Errors
    /// A step of a template has no meaning for what it meets.
    pub(crate) fn text_of_fields(
        &self,
        json: &[u8],
        fields: &Fields,
        head: Head,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let chosen = fields.chosen_from(json)?;
        if let Some(absent) = &chosen.absent {
            self.warning(absent);
        }
        match chosen.content {
            Content::Text(text) => Ok(text),
            Content::Rows(rows) => {
                let mut table = Table::new(fields.headers()).with(head);
                for row in &rows {
                    table.row(row);
                }
                Ok(Zeroizing::new(table.to_string().into_bytes()))
            }
        }
    }
}

/// Keeps lines and columns, and escapes what else has an effect on a terminal.
fn shown(text: &str) -> Zeroizing<String> {
    let mut shown = Zeroizing::new(String::with_capacity(text.len()));
    for part in text.split_inclusive(['\n', '\t']) {
        let plain = part.trim_end_matches(['\n', '\t']);
        shown.push_str(&printable(plain));
        shown.push_str(&part[plain.len()..]);
    }
    shown
}
