//! Licence templates typeset to PDF/A.
