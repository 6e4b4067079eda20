//! What stands behind a made-up server in place of a shell: it takes our orders apart, and knows what an honest host
//! would answer. Everything between that and a lie is a line in a test.

/// What ends the agent's text.
const END_OF_AGENT: &str = "\n#end\n";
/// A setting of the agent's text: the nonce of its greeting.
const HELLO: &str = "_b_hello='";
/// Digits of a nonce.
const NONCE_LEN: usize = 32;
/// The verb that stands for the agent's text itself.
pub const AGENT: &str = "agent";

/// The rest of the agent's text, which nobody answers.
const REST: &str = "L";
/// The verb that stands for a script that is no lane: a tool that connects to a port for us.
pub const TOOL: &str = "tool";
/// What only that script has, and its own nonce's name.
const CONNECTS: &str = "/dev/tcp/";
const TOOLS_NONCE: &str = "n=";

/// One order, as the host gets it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// `J`, `R`, `K` and so on, or `AGENT`.
    pub verb: String,
    /// What its answer must carry.
    pub nonce: String,
    /// The rest of its line.
    pub words: Vec<String>,
    /// The script, for those that have one.
    pub script: String,
}

/// What a server says in answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    Out(Vec<u8>),
    Err(Vec<u8>),
    Status(u32),
    /// A command ended by a signal of this name, which is also said to be why.
    Signal(String),
    /// The end of the connection, with the reason in words.
    Goodbye(String),
    Eof,
    Close,
    Flood(Flood),
}

/// What a server says without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    Out,
    Both,
    /// Requests about the channel.
    Requests,
    /// Channels that the server wants to open towards us.
    Opens,
}

/// Takes one channel's stdin apart.
#[derive(Debug, Default)]
pub struct Brain {
    bytes: Vec<u8>,
    awake: bool,
}

impl Brain {
    /// The orders that these bytes complete.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Order> {
        self.bytes.extend_from_slice(bytes);
        let mut orders = Vec::new();
        while let Some((order, length)) = self.first() {
            self.bytes.drain(..length);
            if order.verb != REST {
                orders.push(order);
            }
        }
        orders
    }

    fn first(&mut self) -> Option<(Order, usize)> {
        let text = String::from_utf8_lossy(&self.bytes);
        if !self.awake && text.contains(CONNECTS) {
            let nonces = text.match_indices(TOOLS_NONCE).map(|(at, word)| &text[at + word.len()..]);
            let mut words = nonces.filter_map(|rest| rest.split_once(" h=")).map(|(nonce, _)| nonce);
            let nonce = words.find(|word| word.len() == NONCE_LEN)?.to_owned();
            return Some((Order { verb: TOOL.to_owned(), nonce, ..Order::default() }, text.len()));
        }
        if !self.awake {
            let length = text.find(END_OF_AGENT)? + END_OF_AGENT.len();
            let at = text.find(HELLO).expect("the agent's text has its nonce") + HELLO.len();
            let nonce = text[at..at + NONCE_LEN].to_owned();
            self.awake = true;
            return Some((Order { verb: AGENT.to_owned(), nonce, ..Order::default() }, length));
        }
        let line = &text[..text.find('\n')?];
        let mut words = line.split(' ').map(str::to_owned);
        let (verb, nonce) = (words.next()?, words.next()?);
        let words: Vec<String> = words.collect();
        let mut length = line.len() + 1;
        let mut script = String::new();
        if ["J", "S", REST].contains(&verb.as_str()) {
            let bytes: usize = words.last()?.parse().expect("an order says how long its script is");
            script = text.get(length..length + bytes)?.to_owned();
            length += bytes;
        }
        Some((Order { verb, nonce, words, script }, length))
    }
}

/// A frame as the agent makes them.
pub fn frame(nonce: &str, words: &str) -> Vec<u8> {
    format!("\u{1e}{nonce} {words}\u{1e}").into_bytes()
}

/// An answer to an order.
pub fn out(order: &Order, words: &str) -> Say {
    Say::Out(frame(&order.nonce, words))
}

/// The job of an order has begun.
pub fn go(order: &Order) -> Say {
    out(order, "go 1 1 1")
}

/// Its stderr has ended.
pub fn err_end(order: &Order) -> Say {
    Say::Err(frame(&order.nonce, "end"))
}

/// What an honest host says on which nothing goes wrong and nothing is printed.
pub fn honest(order: &Order) -> Vec<Say> {
    let out = |words: &str| out(order, words);
    match order.verb.as_str() {
        AGENT => vec![out("hello 1 4242 jobs boot 0"), Say::Err(frame(&order.nonce, "hello"))],
        "J" => vec![out("go 4243 4243 17"), out("end 0 0"), err_end(order)],
        "R" => vec![out("ended 0")],
        "K" => vec![out("gone")],
        "W" => vec![out("at /var/tmp/made-up")],
        "F" => vec![out("done")],
        _ => vec![],
    }
}

/// Is it the script of the step that tests look at?
pub fn is_the_step(order: &Order) -> bool {
    order.verb == "J" && order.script.contains(super::desk::MARK)
}
