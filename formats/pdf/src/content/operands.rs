//! A content stream as operators with their operands (ISO 32000-2, 7.8.2).

use std::borrow::Cow;

use crate::error::PdfError;
use crate::lexer::{Lexer, Token, is_whitespace};
use crate::limits::check;

/// Operands in front of one operator, and elements of an array; the longest honest `TJ` has some
/// thousand.
const OPERANDS_MAX: u64 = 65_536;

/// An operand as far as text needs it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand<'b> {
    Number(f64),
    Name(Cow<'b, [u8]>),
    String(Cow<'b, [u8]>),
    /// Without what stands in arrays inside it.
    Array(Vec<Operand<'b>>),
    /// A dictionary, a boolean, null.
    Other,
}

impl Operand<'_> {
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Name(_) | Self::String(_) | Self::Array(_) | Self::Other => None,
        }
    }
}

/// An operator and what stands before it.
type Operation<'b, 'o> = (&'b [u8], &'o [Operand<'b>]);

/// Reads operator after operator.
pub(super) struct Operators<'b> {
    content: &'b [u8],
    lexer: Lexer<'b>,
    operands: Vec<Operand<'b>>,
}

impl<'b> Operators<'b> {
    pub(super) fn new(content: &'b [u8]) -> Self {
        Self {
            content,
            lexer: Lexer::new(content, 0),
            operands: Vec::new(),
        }
    }

    /// The next operator with what stands before it; none at the end.
    ///
    /// # Errors
    /// What is not PDF syntax, with its offset in the content; [`PdfError::LimitExceeded`].
    pub(super) fn next(&mut self) -> Result<Option<Operation<'b, '_>>, PdfError> {
        self.operands.clear();
        loop {
            let (token, span) = self.lexer.next()?;
            let operand = match token {
                Token::End => return Ok(None),
                Token::Keyword(b"true" | b"false" | b"null") => Operand::Other,
                Token::Keyword(b"BI") => {
                    self.skip_inline_image()?;
                    self.operands.clear();
                    continue;
                }
                Token::Keyword(operator) => return Ok(Some((operator, &self.operands))),
                Token::ArrayOpen => self.array()?,
                Token::DictionaryOpen => self.skip_dictionary()?,
                Token::ArrayClose | Token::DictionaryClose => {
                    return Err(PdfError::Syntax {
                        offset: span.start,
                        problem: "] or >> without its opening in a page's content",
                    });
                }
                other @ (Token::Integer(_)
                | Token::Real(_)
                | Token::Name(_)
                | Token::String { .. }) => simple(other),
            };
            self.operands.push(operand);
            check("operands", self.operands.len() as u64, OPERANDS_MAX)?;
        }
    }

    fn array(&mut self) -> Result<Operand<'b>, PdfError> {
        let mut items = Vec::new();
        let mut depth = 1_usize;
        loop {
            let (token, span) = self.lexer.next()?;
            if token == Token::End {
                return Err(cut(span.start));
            } else if token == Token::ArrayOpen {
                depth += 1;
            } else if token == Token::ArrayClose {
                depth -= 1;
                if depth == 0 {
                    return Ok(Operand::Array(items));
                }
            } else if depth == 1 {
                items.push(simple(token));
                check("operands", items.len() as u64, OPERANDS_MAX)?;
            }
        }
    }

    fn skip_dictionary(&mut self) -> Result<Operand<'b>, PdfError> {
        let mut depth = 1_usize;
        while depth > 0 {
            let (token, span) = self.lexer.next()?;
            if token == Token::End {
                return Err(cut(span.start));
            } else if token == Token::DictionaryOpen {
                depth += 1;
            } else if token == Token::DictionaryClose {
                depth -= 1;
            }
        }
        Ok(Operand::Other)
    }

    /// `BI … ID data EI` (8.9.7). The data end at the first `EI` between white space behind which
    /// the content goes on with a token.
    fn skip_inline_image(&mut self) -> Result<(), PdfError> {
        loop {
            let (token, span) = self.lexer.next()?;
            if token == Token::Keyword(b"ID") {
                break;
            }
            if token == Token::End {
                return Err(cut(span.start));
            }
        }
        let start = self.lexer.position();
        let data = self.content.get(start..).unwrap_or_default();
        let ends = data.windows(3).enumerate().filter(|(at, window)| {
            let after = data.get(at + 3);
            matches!(window, [before, b'E', b'I'] if is_whitespace(*before))
                && after.copied().is_none_or(is_whitespace)
        });
        for (at, _) in ends {
            let lexer = Lexer::new(self.content, start + at + 3);
            let mut ahead = lexer.clone();
            let goes_on = (0..3).all(|_| ahead.next().is_ok_and(|(token, _)| is_textual(&token)));
            if goes_on {
                self.lexer = lexer;
                return Ok(());
            }
        }
        Err(PdfError::Syntax {
            offset: start,
            problem: "an inline image without its EI",
        })
    }
}

/// Whether a token could stand behind an image: pixels read as tokens are seldom so.
fn is_textual(token: &Token<'_>) -> bool {
    match token {
        Token::Keyword(word) => word.len() <= 3 && word.iter().all(u8::is_ascii_graphic),
        Token::Integer(_)
        | Token::Real(_)
        | Token::Name(_)
        | Token::String { .. }
        | Token::ArrayOpen
        | Token::ArrayClose
        | Token::DictionaryOpen
        | Token::DictionaryClose
        | Token::End => true,
    }
}

fn simple(token: Token<'_>) -> Operand<'_> {
    match token {
        Token::Integer(number) => Operand::Number(number as f64),
        Token::Real(number) => Operand::Number(number),
        Token::Name(name) => Operand::Name(name),
        Token::String { bytes, .. } => Operand::String(bytes),
        Token::Keyword(_)
        | Token::ArrayOpen
        | Token::ArrayClose
        | Token::DictionaryOpen
        | Token::DictionaryClose
        | Token::End => Operand::Other,
    }
}

fn cut(offset: usize) -> PdfError {
    PdfError::Syntax {
        offset,
        problem: "the page's content is cut off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operators(content: &[u8]) -> Result<Vec<(String, usize)>, PdfError> {
        let mut operators = Operators::new(content);
        let mut found = Vec::new();
        while let Some((operator, operands)) = operators.next()? {
            found.push((
                String::from_utf8_lossy(operator).into_owned(),
                operands.len(),
            ));
        }
        Ok(found)
    }

    #[test]
    fn operators_come_with_their_operands() {
        let content = b"q 1 0 0 1 5 6 cm /F1 12 Tf [(a) -20 <62>] TJ (x) ' 1 2 (y) \" T*\n\
                        /P <</MCID 0 /A <</B [1]>>>> BDC true x Q";
        let expected = [
            ("q", 0),
            ("cm", 6),
            ("Tf", 2),
            ("TJ", 1),
            ("'", 1),
            ("\"", 3),
            ("T*", 0),
            ("BDC", 2),
            ("x", 1),
            ("Q", 0),
        ];
        let expected: Vec<(String, usize)> = expected
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        assert_eq!(operators(content), Ok(expected));
    }

    #[test]
    fn an_inline_image_is_skipped_whatever_its_bytes() {
        let content = b"q BI /W 2 /H 2 /CS /G /BPC 8 ID \x01 EI \xff(\x02 EI\nQ (a) Tj";
        let expected = vec![
            ("q".to_owned(), 0),
            ("Q".to_owned(), 0),
            ("Tj".to_owned(), 1),
        ];
        assert_eq!(operators(content), Ok(expected));
    }

    #[test]
    fn content_that_is_no_syntax_is_refused() {
        for content in [
            &b"[(a)"[..],
            b"<</A 1",
            b"(a",
            b"] TJ",
            b"BI /W 1 ID abc",
            b"BI /W 1",
        ] {
            assert!(
                matches!(operators(content), Err(PdfError::Syntax { .. })),
                "{content:?}"
            );
        }
    }
}
