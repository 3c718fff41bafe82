//! Files made to hurt a reader: loops, bombs, aliases, lies.
//!
//! Each is built from nothing by [`Maker`], so that nothing of a public corpus is needed; the
//! families are those reported against PDF readers for years (cross-reference confusion, alias
//! amplification, decompression bombs, deep nesting, loops).

mod containers;
mod cross_reference;
mod maker;
mod objects;
mod trees;
mod updates;

pub use containers::contents;
pub use maker::{Maker, deflated, plain};
pub use updates::updates;

use containers::{byte_range_of_a_million, many_algorithms, nested_asn1};
use cross_reference::{
    alias, alias_of_the_catalog, endless_startxref, million_entries_many_times, offset_elsewhere,
    offset_into_a_stream, prev_forward, prev_into_a_stream, prev_loop_of_one, prev_loop_of_two,
    revisions, xref_stream_bomb, xref_stream_index, xref_stream_widths, xref_table_count,
    xrefstm_loop,
};
use objects::{
    duplicate_key, filter_chain, huge_number, long_name, nested, nested_trailer,
    object_stream_bombs, object_stream_extends_loop, object_stream_in_itself, object_stream_lies,
    predictor_of_huge_rows, stream_length_lies, stream_length_loop,
};
use trees::{
    field_parent_loop, field_tree_doubling, field_tree_loop, form_of_a_million_fields,
    page_count_lies, page_is_its_own_parent, page_tree_deep, page_tree_doubling, page_tree_loop,
    reference_loop, signatures,
};

/// What must come of a hostile file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Neither sealed nor looked at: a typed error from both.
    Refused,
    /// Not sealed: a typed error. The verifier may not step on the trap.
    NotSealed,
    /// The trap need not be stepped on: any answer that passes no signature, in bounds.
    Bounded,
}

/// All hostile files: name, bytes, what must come of it.
#[must_use]
pub fn files() -> Vec<(String, Vec<u8>, Expected)> {
    use Expected::{Bounded, NotSealed, Refused};
    let mut all: Vec<(String, Vec<u8>, Expected)> = vec![
        ("zero-bytes".into(), Vec::new(), Refused),
        ("one-byte".into(), b"%".to_vec(), Refused),
        ("header-only".into(), b"%PDF-1.7\n".to_vec(), Refused),
        ("zeros".into(), vec![0; 1 << 20], Refused),
        ("percent-signs".into(), vec![b'%'; 4 << 20], Refused),
        ("endless-startxref".into(), endless_startxref(), Refused),
        (
            "nested-arrays-10000".into(),
            nested("[", "]", 10_000),
            Refused,
        ),
        (
            "nested-arrays-1000000".into(),
            nested("[", "]", 1_000_000),
            Refused,
        ),
        (
            "nested-dictionaries-10000".into(),
            nested("<</A", ">>", 10_000),
            Refused,
        ),
        (
            "nested-arrays-never-closed".into(),
            nested("[", "", 100_000),
            Refused,
        ),
        (
            "nested-string-parentheses".into(),
            nested("(", ")", 1_000_000),
            Bounded,
        ),
        (
            "nested-arrays-in-the-trailer".into(),
            nested_trailer(),
            Refused,
        ),
        ("prev-loop-of-one".into(), prev_loop_of_one(), Refused),
        ("prev-loop-of-two".into(), prev_loop_of_two(), Refused),
        ("prev-forward".into(), prev_forward(), Refused),
        ("prev-into-a-stream".into(), prev_into_a_stream(), Refused),
        ("xrefstm-loop".into(), xrefstm_loop(), Refused),
        ("alias-fields".into(), alias(true), Refused),
        ("alias-unused".into(), alias(false), Bounded),
        (
            "alias-of-the-catalog".into(),
            alias_of_the_catalog(),
            Refused,
        ),
        ("offset-zero".into(), offset_elsewhere(0), Refused),
        (
            "offset-past-the-end".into(),
            offset_elsewhere(9_999_999_999),
            Refused,
        ),
        (
            "offset-into-a-stream".into(),
            offset_into_a_stream(),
            Refused,
        ),
        ("object-stream-bombs".into(), object_stream_bombs(), Refused),
        (
            "object-stream-in-itself".into(),
            object_stream_in_itself(),
            Refused,
        ),
        ("object-stream-lies".into(), object_stream_lies(), Refused),
        (
            "object-stream-extends-loop".into(),
            object_stream_extends_loop(),
            Bounded,
        ),
        ("filter-chain".into(), filter_chain(), Refused),
        (
            "predictor-of-huge-rows".into(),
            predictor_of_huge_rows(),
            Refused,
        ),
        ("xref-stream-bomb".into(), xref_stream_bomb(), Refused),
        ("xref-stream-widths".into(), xref_stream_widths(), Refused),
        ("xref-stream-index".into(), xref_stream_index(), Refused),
        ("xref-table-count".into(), xref_table_count(), Refused),
        (
            "million-entries-many-times".into(),
            million_entries_many_times(),
            Refused,
        ),
        ("revisions-10000".into(), revisions(10_000), Refused),
        ("signatures-10000".into(), signatures(10_000), Refused),
        ("page-tree-loop".into(), page_tree_loop(), NotSealed),
        ("page-tree-deep".into(), page_tree_deep(), NotSealed),
        ("page-count-lies".into(), page_count_lies(), NotSealed),
        ("page-tree-doubling".into(), page_tree_doubling(), NotSealed),
        (
            "page-is-its-own-parent".into(),
            page_is_its_own_parent(),
            NotSealed,
        ),
        ("field-tree-doubling".into(), field_tree_doubling(), Refused),
        ("field-parent-loop".into(), field_parent_loop(), Bounded),
        (
            "form-of-a-million-fields".into(),
            form_of_a_million_fields(),
            Refused,
        ),
        ("field-tree-loop".into(), field_tree_loop(), Refused),
        ("reference-loop".into(), reference_loop(), Refused),
        ("stream-length-loop".into(), stream_length_loop(), Refused),
        ("stream-length-lies".into(), stream_length_lies(), Refused),
        ("duplicate-key".into(), duplicate_key(), Refused),
        ("huge-number".into(), huge_number(), Bounded),
        ("long-name".into(), long_name(), Bounded),
        (
            "byte-range-of-a-million".into(),
            byte_range_of_a_million(),
            Bounded,
        ),
        (
            "contents-of-nested-asn1".into(),
            contents(&nested_asn1(200_000)),
            Bounded,
        ),
        (
            "contents-of-many-algorithms".into(),
            contents(&many_algorithms()),
            Bounded,
        ),
        (
            "contents-of-endless-asn1".into(),
            contents(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
            Bounded,
        ),
        (
            "contents-of-indefinite-asn1".into(),
            contents(&[[0x30, 0x80]; 100_000].concat()),
            Bounded,
        ),
    ];
    let whole = plain();
    // Up to the last byte of %%EOF; the line end after it may be missing.
    for cut in (0..whole.len() - 1).step_by(7).skip(1) {
        all.push((
            format!("truncated-at-{cut:04}"),
            whole[..cut].to_vec(),
            Refused,
        ));
    }
    all
}
