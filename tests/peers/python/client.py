"""A department's client, generated from the .proto files with grpcio-tools.

    client.py --proto DIR --generated DIR --ca CA.pem --certificate C.pem --key K.pem
              issue  ADDRESS REQUEST.json OUT.pdf
    client.py …  verify ADDRESS FILE.pdf [--at SECONDS]

ADDRESS is host:port. `issue` reads the IssueLicenceRequest in its JSON form, writes the
sealed PDF and prints {"licence": …, "replayed": …}; `verify` prints {"indication": …,
"signatures": …, "report": …}. A gRPC error is printed as {"status": …, "reason": …,
"metadata": …} and ends with 3.
"""

import argparse
import json
import pathlib
import sys

import grpc

CHUNK_BYTES = 256 * 1024


def generate(proto, generated):
    """Runs protoc over every file of the interface, into a folder under target/."""
    from grpc_tools import protoc
    import grpc_tools

    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    generated.mkdir(parents=True, exist_ok=True)
    files = sorted(str(path.relative_to(proto)) for path in proto.glob("yinxin/v1/*.proto"))
    code = protoc.main(
        [
            "protoc",
            f"-I{proto}",
            f"-I{well_known}",
            f"--python_out={generated}",
            f"--grpc_python_out={generated}",
            *files,
        ]
    )
    if code != 0:
        raise SystemExit(f"protoc ended with {code}")
    sys.path.insert(0, str(generated))


def channel(arguments):
    credentials = grpc.ssl_channel_credentials(
        root_certificates=pathlib.Path(arguments.ca).read_bytes(),
        private_key=pathlib.Path(arguments.key).read_bytes(),
        certificate_chain=pathlib.Path(arguments.certificate).read_bytes(),
    )
    return grpc.secure_channel(
        arguments.address,
        credentials,
        options=[("grpc.max_receive_message_length", 16 * 1024 * 1024)],
    )


def issue(arguments):
    from google.protobuf import json_format
    from yinxin.v1 import licence_pb2, licence_pb2_grpc

    request = json_format.Parse(
        pathlib.Path(arguments.request).read_text("utf-8"), licence_pb2.IssueLicenceRequest()
    )
    with channel(arguments) as connection:
        stub = licence_pb2_grpc.LicenceServiceStub(connection)
        answer = stub.IssueLicence(request, timeout=60)
    pathlib.Path(arguments.out).write_bytes(answer.document)
    return {
        "licence": json_format.MessageToDict(answer.licence),
        "replayed": answer.replayed,
        "document_sha256": answer.document_sha256.hex(),
        "signatures": len(answer.receipt.signatures),
    }


def verify(arguments):
    from yinxin.v1 import verification_pb2, verification_pb2_grpc

    document = pathlib.Path(arguments.file).read_bytes()

    def parts():
        header = verification_pb2.VerifyDocumentHeader(
            language=verification_pb2.LANGUAGE_ENGLISH, document_bytes=len(document)
        )
        if arguments.at is not None:
            header.at.seconds = arguments.at
        yield verification_pb2.VerifyDocumentRequest(header=header)
        for start in range(0, len(document), CHUNK_BYTES):
            yield verification_pb2.VerifyDocumentRequest(
                chunk=document[start : start + CHUNK_BYTES]
            )

    with channel(arguments) as connection:
        stub = verification_pb2_grpc.VerificationServiceStub(connection)
        answer = stub.VerifyDocument(parts(), timeout=60)
    return {
        "indication": verification_pb2.Indication.Name(answer.indication),
        "signatures": [
            {
                "kind": one.kind,
                "seal_name": one.seal_name,
                "indication": verification_pb2.Indication.Name(one.indication),
                "sub_indication": one.sub_indication,
            }
            for one in answer.signatures
        ],
        "report": json.loads(answer.report_json),
        "report_text": answer.report_text,
    }


def status_of(error):
    """The google.rpc.ErrorInfo of an error, without needing googleapis' package."""
    from google.protobuf import any_pb2

    found = {"status": error.code().name, "message": error.details()}
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            found.update(error_info(value, any_pb2))
    return found


def error_info(status_der, any_pb2):
    # google.rpc.Status { 1 code, 2 message, 3 repeated Any details } and
    # google.rpc.ErrorInfo { 1 reason, 2 domain, 3 map metadata }, read by field number.
    def fields(data):
        position = 0

        def varint():
            nonlocal position
            value = shift = 0
            while True:
                byte = data[position]
                position += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    return value

        while position < len(data):
            key = varint()
            if key & 7 == 0:
                yield key >> 3, varint()
            else:
                length = varint()
                yield key >> 3, data[position : position + length]
                position += length

    for number, value in fields(status_der):
        if number != 3:
            continue
        detail = any_pb2.Any.FromString(value)
        if not detail.type_url.endswith("/google.rpc.ErrorInfo"):
            continue
        info = {"metadata": {}}
        for inner, text in fields(detail.value):
            if inner == 1:
                info["reason"] = text.decode()
            elif inner == 2:
                info["domain"] = text.decode()
            elif inner == 3:
                entry = dict(fields(text))
                info["metadata"][entry.get(1, b"").decode()] = entry.get(2, b"").decode()
        return info
    return {}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--proto", required=True, type=pathlib.Path)
    parser.add_argument("--generated", required=True, type=pathlib.Path)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("issue")
    one.add_argument("address")
    one.add_argument("request")
    one.add_argument("out")
    one = commands.add_parser("verify")
    one.add_argument("address")
    one.add_argument("file")
    one.add_argument("--at", type=int)
    arguments = parser.parse_args()

    generate(arguments.proto.resolve(), arguments.generated.resolve())
    try:
        answer = {"issue": issue, "verify": verify}[arguments.command](arguments)
    except grpc.RpcError as error:
        json.dump(status_of(error), sys.stdout, ensure_ascii=False)
        print()
        sys.exit(3)
    json.dump(answer, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
