//! The words of a text, each with its place, so that errors can point at it.

/// A piece of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'t> {
    pub(super) text: &'t str,
    /// The place of its first character in the whole text: 1 for the first.
    pub(super) position: usize,
}

impl<'t> Word<'t> {
    pub(super) fn split(self, separator: char) -> impl Iterator<Item = Word<'t>> {
        let mut position = self.position;
        self.text.split(separator).map(move |text| {
            let word = Word { text, position };
            position += text.chars().count() + 1;
            word
        })
    }

    pub(super) fn split_once(self, separator: char) -> (Word<'t>, Option<Word<'t>>) {
        match self.text.split_once(separator) {
            None => (self, None),
            Some((before, after)) => {
                let position = self.position + before.chars().count() + 1;
                (Word { text: before, ..self }, Some(Word { text: after, position }))
            }
        }
    }

    /// Returns the word as an error shows it.
    pub(super) fn shown(self) -> String {
        if self.text.is_empty() { "nothing".to_owned() } else { self.text.to_owned() }
    }
}

/// Returns a text and, below it, a caret under its character `position`: 1 for the first.
pub(super) fn pointer(text: &str, position: usize) -> String {
    // A tab is copied, so that the caret stands where the terminal shows the character.
    let before = text.chars().take(position.saturating_sub(1));
    let indent: String = before.map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
    format!("{text}\n{indent}^")
}

/// Returns the words between spaces and tabs.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let whole = Word { text, position: 1 };
    // Each separator is one character, so places add up.
    let pieces = whole.split(' ').flat_map(|piece| piece.split('\t'));
    pieces.filter(|word| !word.text.is_empty()).collect()
}
