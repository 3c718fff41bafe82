//! CMS.
