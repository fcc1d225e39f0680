//! A small, strict reader of JSON (RFC 8259), ready-made: it is not what this lab is about.
//!
//! `parse(bytes)` gives a `Value`; ask it with `get`, `as_str` and `as_u64`.

/// How deep arrays and objects may stand in each other. Each level takes room on the stack, and a peer chooses how many.
const DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// As it is written: which kind of number it has to be is yours to say.
    Number(String),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// An object's member of this name; of several the last. `None` for everything that is no object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Value::Object(members) = self else { return None };
        members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// A whole number from 0, written without a point and without an exponent.
    pub fn as_u64(&self) -> Option<u64> {
        if let Value::Number(text) = self { text.parse().ok() } else { None }
    }
}

/// Reads one value that fills the whole text.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.at == text.len() { Ok(value) } else { reader.expected("the end") }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, String> {
        self.space();
        match self.peek() {
            Some('{' | '[') if depth == DEPTH => self.expected("fewer brackets"),
            Some('{') => self.list('}', |reader| reader.member(depth + 1)).map(Value::Object),
            Some('[') => self.list(']', |reader| reader.value(depth + 1)).map(Value::Array),
            Some('"') => self.string().map(Value::String),
            Some('-' | '0'..='9') => self.number(),
            _ if self.skip("null") => Ok(Value::Null),
            _ if self.skip("true") => Ok(Value::Bool(true)),
            _ if self.skip("false") => Ok(Value::Bool(false)),
            _ => self.expected("a value"),
        }
    }

    /// What stands between an opening bracket and this one, with commas.
    fn list<T>(
        &mut self,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        while items.is_empty() && self.peek() != Some(close) || self.skip(",") {
            items.push(item(self)?);
            self.space();
        }
        if self.next() == Some(close) { Ok(items) } else { self.expected("a comma or a bracket") }
    }

    fn member(&mut self, depth: usize) -> Result<(String, Value), String> {
        self.space();
        let name = self.string()?;
        self.space();
        if self.skip(":") { Ok((name, self.value(depth)?)) } else { self.expected("a colon") }
    }

    fn string(&mut self) -> Result<String, String> {
        if !self.skip("\"") {
            return self.expected("a string");
        }
        let mut string = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(string),
                Some('\\') => string.push(self.escape()?),
                Some(c) if c >= ' ' => string.push(c),
                _ => return self.expected("a character or the end of the string"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        match self.next() {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\x08'),
            Some('f') => Ok('\x0c'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => {
                // A character that UTF-16 writes as two units is written as two escapes.
                let mut units = vec![self.unit()?];
                if (0xd800..0xdc00).contains(&units[0]) && self.skip("\\u") {
                    units.push(self.unit()?);
                }
                let text = String::from_utf16(&units).unwrap_or_default();
                text.chars().next().map_or_else(|| self.expected("a surrogate pair"), Ok)
            }
            _ => self.expected("an escape"),
        }
    }

    fn unit(&mut self) -> Result<u16, String> {
        (0..4).try_fold(0, |unit, _| match self.next().and_then(|c| c.to_digit(16)) {
            Some(digit) => Ok(unit << 4 | digit as u16),
            None => self.expected("four hex digits"),
        })
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        self.skip("-");
        let mut right = self.skip("0") || self.digits();
        if self.skip(".") {
            right &= self.digits();
        }
        if self.skip("e") || self.skip("E") {
            let _sign = self.skip("+") || self.skip("-");
            right &= self.digits();
        }
        let number = Value::Number(self.text[start..self.at].to_owned());
        if right { Ok(number) } else { self.expected("a digit") }
    }

    /// Passes over digits, and says whether there were any.
    fn digits(&mut self) -> bool {
        let count = self.text[self.at..].bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count > 0
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, word: &str) -> bool {
        let there = self.text[self.at..].starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn expected<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("not JSON at byte {}: expected {what}", self.at))
    }
}
