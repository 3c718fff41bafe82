//! Chinese or English, by `--lang` or by the locale.

use yinxin_verifier::Language as ReportLanguage;

/// The language a person is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// 中文
    Zh,
    /// English
    En,
}

impl Language {
    /// The language that the locale asks for: Chinese if it starts with `zh`, else English.
    pub(crate) fn of_locale() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty());
        match locale {
            Some(locale) if locale.starts_with("zh") => Self::Zh,
            Some(_) | None => Self::En,
        }
    }

    /// One of two sentences that say the same.
    pub(crate) fn pick<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Zh => chinese,
            Self::En => english,
        }
    }
}

impl From<Language> for ReportLanguage {
    fn from(language: Language) -> Self {
        match language {
            Language::Zh => Self::Chinese,
            Language::En => Self::English,
        }
    }
}
