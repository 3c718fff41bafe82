//! The wire interface `yinxin.v1`: the types and services generated from
//! `proto/yinxin/v1/*.proto`, without any logic.
//!
//! No type of this crate appears in a library's signature: the servers and the command
//! translate at their edge.

/// The type of a chunk, so that a caller needs no dependency of its own for it.
pub use prost::bytes::Bytes;
/// The type of a moment, for the same reason.
pub use prost_types::Timestamp;

/// Messages, clients and servers of `yinxin.v1`. The comments are those of the .proto
/// files.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::allow_attributes_without_reason,
    rustdoc::all,
    reason = "generated code; its generator decides its style"
)]
pub mod v1 {
    tonic::include_proto!("yinxin.v1");
}

/// The encoded `FileDescriptorSet` of `yinxin.v1`, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("yinxin.v1");

/// The `domain` of every `google.rpc.ErrorInfo` we send (see `errors.proto`).
pub const ERROR_DOMAIN: &str = "yinxin";

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    fn descriptors() -> prost_types::FileDescriptorSet {
        prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap()
    }

    #[test]
    fn the_descriptor_set_names_the_services_and_their_methods() {
        let mut methods = Vec::new();
        for file in descriptors().file {
            for service in file.service {
                for method in &service.method {
                    methods.push(format!("{}.{}", service.name(), method.name()));
                }
            }
        }
        methods.sort();
        assert_eq!(
            methods,
            [
                "LicenceService.IssueLicence",
                "SealService.ApplySeal",
                "SealService.ChangeSeal",
                "SealService.CountUses",
                "SealService.ExplainUse",
                "SealService.ExportFilings",
                "SealService.ExportSealStatus",
                "SealService.GetApproval",
                "SealService.GetSeal",
                "SealService.GetSealStatus",
                "SealService.ImportFilings",
                "SealService.ListSealRevocations",
                "SealService.ListSeals",
                "SealService.ListUseRuleHistory",
                "SealService.ListUseRules",
                "SealService.ListUses",
                "SealService.RenewSeal",
                "SealService.RequestApproval",
                "SealService.SetUseRule",
                "SealService.SignApproval",
                "SealService.WithdrawUseRule",
                "SealingService.DescribeSeal",
                "SealingService.SealDigest",
                "SealingService.SealDocument",
                "VerificationService.VerifyDocument",
            ]
        );
    }

    #[test]
    fn every_message_field_method_and_enum_value_has_a_comment() {
        let mut missing = Vec::new();
        for file in descriptors().file {
            if file.package() != "yinxin.v1" {
                continue;
            }
            let commented: std::collections::HashSet<Vec<i32>> = file
                .source_code_info
                .iter()
                .flat_map(|info| &info.location)
                .filter(|location| !location.leading_comments().trim().is_empty())
                .map(|location| location.path.clone())
                .collect();
            let mut need = |path: Vec<i32>, what: String| {
                if !commented.contains(&path) {
                    missing.push(what);
                }
            };
            // The numbers are those of descriptor.proto: 4 message, 5 enum, 6 service;
            // within them 2 is field, value or method, and 8 a message's oneof.
            for (m, message) in (0..).zip(&file.message_type) {
                need(vec![4, m], message.name().to_owned());
                for (f, field) in (0..).zip(&message.field) {
                    need(
                        vec![4, m, 2, f],
                        format!("{}.{}", message.name(), field.name()),
                    );
                }
                for (o, oneof) in (0..).zip(&message.oneof_decl) {
                    if !oneof.name().starts_with('_') {
                        need(
                            vec![4, m, 8, o],
                            format!("{}.{}", message.name(), oneof.name()),
                        );
                    }
                }
            }
            for (e, enumeration) in (0..).zip(&file.enum_type) {
                need(vec![5, e], enumeration.name().to_owned());
                for (v, value) in (0..).zip(&enumeration.value) {
                    need(vec![5, e, 2, v], value.name().to_owned());
                }
            }
            for (s, service) in (0..).zip(&file.service) {
                need(vec![6, s], service.name().to_owned());
                for (m, method) in (0..).zip(&service.method) {
                    need(
                        vec![6, s, 2, m],
                        format!("{}.{}", service.name(), method.name()),
                    );
                }
            }
        }
        assert!(missing.is_empty(), "without a comment: {missing:?}");
    }

    #[test]
    fn zero_of_every_enum_is_unspecified() {
        for file in descriptors().file {
            if file.package() != "yinxin.v1" {
                continue;
            }
            for enumeration in file.enum_type {
                let first = &enumeration.value[0];
                assert_eq!(first.number(), 0, "{}", enumeration.name());
                assert!(first.name().ends_with("_UNSPECIFIED"), "{}", first.name());
            }
        }
    }
}
