//! The wire interface yinxin.v1 and its generated types.
