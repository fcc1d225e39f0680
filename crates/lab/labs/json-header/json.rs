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
    if reader.at < text.len() { Err(reader.expected("the end")) } else { Ok(value) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, String> {
        self.space();
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH => Err(self.expected("fewer brackets")),
            Some(b'{') => self.list(b'}', |reader| reader.member(depth + 1)).map(Value::Object),
            Some(b'[') => self.list(b']', |reader| reader.value(depth + 1)).map(Value::Array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))]
                .into_iter()
                .find(|(word, _)| self.skip(word))
                .map(|(_, value)| value)
                .ok_or_else(|| self.expected("a value")),
        }
    }

    /// What stands between an opening bracket and this one, with commas.
    fn list<T>(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        while items.is_empty() && self.peek() != Some(close) || self.skip(",") {
            items.push(item(self)?);
            self.space();
        }
        if self.peek() != Some(close) {
            return Err(self.expected("a comma or a closing bracket"));
        }
        self.at += 1;
        Ok(items)
    }

    fn member(&mut self, depth: usize) -> Result<(String, Value), String> {
        self.space();
        let name = self.string()?;
        self.space();
        if !self.skip(":") {
            return Err(self.expected("a colon"));
        }
        Ok((name, self.value(depth)?))
    }

    fn string(&mut self) -> Result<String, String> {
        if !self.skip("\"") {
            return Err(self.expected("a string"));
        }
        let mut string = String::new();
        loop {
            let Some(c) = self.text[self.at..].chars().next() else {
                return Err(self.expected("the end of a string"));
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(string),
                '\\' => string.push(self.escape()?),
                '\0'..' ' => return Err(self.expected("no control character")),
                c => string.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        for (name, c) in [('b', '\x08'), ('f', '\x0c'), ('n', '\n'), ('r', '\r'), ('t', '\t')] {
            if self.skip(name.encode_utf8(&mut [0; 4])) {
                return Ok(c);
            }
        }
        match ["\"", "\\", "/"].into_iter().find(|c| self.skip(c)) {
            Some(c) => return Ok(char::from(c.as_bytes()[0])),
            None if self.skip("u") => {}
            None => return Err(self.expected("an escape")),
        }
        // What UTF-16 writes as two units, JSON writes as two escapes.
        let mut units = vec![self.unit()?];
        if (0xd800..0xdc00).contains(&units[0]) && self.skip("\\u") {
            units.push(self.unit()?);
        }
        String::from_utf16(&units)
            .ok()
            .and_then(|text| text.chars().next())
            .ok_or_else(|| self.expected("the other half of a surrogate pair"))
    }

    fn unit(&mut self) -> Result<u16, String> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        // from_str_radix would take a sign as well.
        if digits.len() < 4 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(self.expected("four hex digits"));
        }
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|error| error.to_string())
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        self.skip("-");
        if !self.skip("0") {
            self.digits()?;
        }
        if self.skip(".") {
            self.digits()?;
        }
        if self.skip("e") || self.skip("E") {
            let _sign = self.skip("+") || self.skip("-");
            self.digits()?;
        }
        Ok(Value::Number(self.text[start..self.at].to_owned()))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), String> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, word: &str) -> bool {
        let there = self.text[self.at..].starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn expected(&self, what: &str) -> String {
        format!("not JSON at byte {}: expected {what}", self.at)
    }
}
