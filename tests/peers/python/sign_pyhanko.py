"""Signs a PDF with pyHanko: PAdES, and RSASSA-PSS as pyHanko likes it best.

    sign_pyhanko.py KEY.pem CERTIFICATE.pem ISSUER.pem IN.pdf OUT.pdf

pyHanko takes the longest salt that the key has room for.
"""

import sys

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers


def main():
    key, certificate, issuer, source, out = sys.argv[1:]
    signer = signers.SimpleSigner.load(
        key, certificate, ca_chain_files=(issuer,), prefer_pss=True
    )
    metadata = signers.PdfSignatureMetadata(
        field_name="Seal", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    with open(source, "rb") as handle, open(out, "wb") as target:
        signers.sign_pdf(IncrementalPdfFileWriter(handle), metadata, signer=signer, output=target)


if __name__ == "__main__":
    main()
