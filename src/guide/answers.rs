//! The answers so far. Esc takes the last one back: the questions begin again, and those before it answer themselves.

/// The answers of one line of questions, in their order.
#[derive(Default)]
pub(super) struct Answers {
    given: Vec<Vec<String>>,
    /// The number of those that were given again since the questions began.
    next: usize,
}

impl Answers {
    /// Returns the answer that this question had before; none if it must be asked.
    pub(super) fn again(&mut self) -> Option<Vec<String>> {
        let answer = self.given.get(self.next).cloned()?;
        self.next += 1;
        Some(answer)
    }

    pub(super) fn add(&mut self, answer: Vec<String>) {
        self.given.push(answer);
        self.next = self.given.len();
    }

    /// Puts another answer in the place of the last one.
    pub(super) fn replace_last(&mut self, answer: Vec<String>) {
        self.take_last();
        self.add(answer);
    }

    /// Has the last question asked again.
    pub(super) fn take_last(&mut self) {
        self.given.pop();
        self.next = self.given.len();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Reports whether the next question has its answer already.
    pub(super) fn are_given_again(&self) -> bool {
        self.next < self.given.len()
    }

    /// Takes the last answer back, and begins again. Returns false if there was none.
    pub(super) fn step_back(&mut self) -> bool {
        self.next = 0;
        self.given.pop().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_leaves_the_answers_before_it() {
        let mut answers = Answers::default();
        assert!(!answers.step_back());
        for answer in ["a", "b"] {
            assert!(answers.again().is_none());
            answers.add(vec![answer.to_owned()]);
        }
        assert!(answers.step_back() && answers.are_given_again());
        assert_eq!(answers.again(), Some(vec!["a".to_owned()]));
        assert!(answers.again().is_none() && !answers.is_empty());
    }
}
