//! The yinxin command: demo, seal, issue, verify, serve, keys.
fn main() {}
