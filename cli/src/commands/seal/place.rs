//! Where a seal goes, as a person says it: options of the command, or the keys of `place` in a
//! places file.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use yinxin_proto::v1;
use yinxin_proto::v1::keyword_placement::Occurrence;
use yinxin_proto::v1::page_selection::Pages;
use yinxin_proto::v1::placement::Position;
use yinxin_proto::v1::seam_placement::Edge as WireEdge;
use yinxin_signer::places::PLACES_MAX;
use yinxin_signer::plan::PLAN_FIELD;

use crate::failure::Failure;

/// The lower right of an A4 page, where a seal stands if nobody says.
const DEFAULT_MM: [f64; 2] = [130.0, 220.0];

/// Where one seal goes.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Where {
    /// 页：3、1,3,5-7、all（全部）、first（首页）、last（末页）；默认第 1 页，文字与骑缝章默认全部 · pages: 3, 1,3,5-7, all, first or last; page 1 by default, for --word and --seam all
    #[arg(long)]
    pub(crate) page: Option<PageChoice>,
    /// 印章左边到页面左边的毫米数，默认 130 · mm from the page's left edge to the seal's; 130 by default
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) x: Option<f64>,
    /// 印章上边到页面上边的毫米数，默认 220 · mm from the page's upper edge to the seal's; 220 by default
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) y: Option<f64>,
    /// 盖在这段文字上（章心对准文字中心） · over this word, centre on centre
    #[arg(long)]
    pub(crate) word: Option<String>,
    /// 第几处文字：2、last（最后一处，默认）、all（每一处） · which occurrence of --word: 2, last (the default) or all
    #[arg(long)]
    pub(crate) nth: Option<Nth>,
    /// 自文字中心右移的毫米数，可为负 · mm to the right of the word; may be negative
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) offset_x: Option<f64>,
    /// 自文字中心下移的毫米数，可为负 · mm below the word; may be negative
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) offset_y: Option<f64>,
    /// 骑年盖月：盖在落款单位与日期上 · over issuer and date
    #[arg(long)]
    pub(crate) issuer_date: bool,
    /// 落款单位，默认印章所属单位 · the issuer as the document writes it; the seal's owner by default
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// 骑缝章：盖在哪一边的页缝上 · seam stamp, over the edges of the pages on this side
    #[arg(long, value_enum)]
    pub(crate) seam: Option<Edge>,
    /// 一枚骑缝章最多分在几张纸上，2 至 100，默认 20 · the most sheets one seam stamp is split over, 2 to 100; 20 by default
    #[arg(long)]
    pub(crate) sheets_per_seal: Option<u32>,
    /// 双面打印：两页为一张纸 · printed on both sides: two pages make a sheet
    #[arg(long)]
    pub(crate) double_sided: bool,
    /// 骑缝章中心沿页边的毫米数（自上或自左），默认居中 · mm along the edge to the seam stamp's middle, from above or from the left; in the middle by default
    #[arg(long)]
    pub(crate) along: Option<f64>,
    /// 盖在文件中已有的空签名域 · an empty signature field of the file
    #[arg(long)]
    pub(crate) field: Option<String>,
    /// 按签署计划，以此方名义盖章，如「乙方」 · as this party of the document's signing plan, such as 乙方
    #[arg(long)]
    pub(crate) party: Option<String>,
    /// 不显示印章 · show nothing on the page
    #[arg(long)]
    pub(crate) invisible: bool,
    /// 允许压在其他印章上 · the seal may lie over another one
    #[arg(long)]
    pub(crate) may_overlap: bool,
    /// 允许超出页面 · the seal may stick out of the page
    #[arg(long)]
    pub(crate) may_leave_page: bool,
}

/// How names are spelled where the person wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `--double-sided`
    Options,
    /// `double_sided`
    File,
}

impl Spelling {
    pub(super) fn of(self, name: &str) -> String {
        match self {
            Self::Options => format!("--{name}"),
            Self::File => name.replace('-', "_"),
        }
    }
}

/// The ways of placing; exactly one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Page,
    Word,
    IssuerDate,
    Seam,
    Field,
    Party,
    Invisible,
}

impl Way {
    const ALL: [Self; 7] = [
        Self::Page,
        Self::Word,
        Self::IssuerDate,
        Self::Seam,
        Self::Field,
        Self::Party,
        Self::Invisible,
    ];

    /// What it is chosen with.
    fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Word => "word",
            Self::IssuerDate => "issuer-date",
            Self::Seam => "seam",
            Self::Field => "field",
            Self::Party => "party",
            Self::Invisible => "invisible",
        }
    }

    /// What may be said besides.
    fn details(self) -> &'static [&'static str] {
        match self {
            Self::Page => &["page", "x", "y", "may-overlap", "may-leave-page"],
            Self::Word => &[
                "page",
                "nth",
                "offset-x",
                "offset-y",
                "may-overlap",
                "may-leave-page",
            ],
            Self::IssuerDate => &["issuer", "may-overlap", "may-leave-page"],
            Self::Seam => &[
                "page",
                "sheets-per-seal",
                "double-sided",
                "along",
                "may-overlap",
                "may-leave-page",
            ],
            Self::Field | Self::Party => &[],
            Self::Invisible => &["page"],
        }
    }
}

impl Where {
    /// As a request states it.
    ///
    /// # Errors
    /// Two ways of placing at once, or a detail that belongs to another one.
    pub(super) fn placement(&self, spelling: Spelling) -> Result<v1::Placement, Failure> {
        let way = self.way(spelling)?;
        self.check_details(way, spelling)?;
        Ok(v1::Placement {
            position: Some(self.position(way, spelling)?),
            may_overlap: self.may_overlap,
            may_leave_page: self.may_leave_page,
        })
    }

    /// The names that were given, in the order of the help.
    pub(super) fn given(&self) -> Vec<&'static str> {
        [
            ("page", self.page.is_some()),
            ("x", self.x.is_some()),
            ("y", self.y.is_some()),
            ("word", self.word.is_some()),
            ("nth", self.nth.is_some()),
            ("offset-x", self.offset_x.is_some()),
            ("offset-y", self.offset_y.is_some()),
            ("issuer-date", self.issuer_date),
            ("issuer", self.issuer.is_some()),
            ("seam", self.seam.is_some()),
            ("sheets-per-seal", self.sheets_per_seal.is_some()),
            ("double-sided", self.double_sided),
            ("along", self.along.is_some()),
            ("field", self.field.is_some()),
            ("party", self.party.is_some()),
            ("invisible", self.invisible),
            ("may-overlap", self.may_overlap),
            ("may-leave-page", self.may_leave_page),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect()
    }

    fn way(&self, spelling: Spelling) -> Result<Way, Failure> {
        let given = self.given();
        let chosen: Vec<Way> = Way::ALL
            .into_iter()
            .filter(|way| *way != Way::Page && given.contains(&way.name()))
            .collect();
        match chosen.as_slice() {
            [] => Ok(Way::Page),
            [way] => Ok(*way),
            [one, other, ..] => {
                let [one, other] = [one, other].map(|way| spelling.of(way.name()));
                Err(Failure::new(
                    format!(
                        "{one} 与 {other} 只能选一个：一枚印章只有一种位置；多枚印章请用 --places"
                    ),
                    format!(
                        "choose one of {one} and {other}: a seal goes to one kind of place; for several seals use --places"
                    ),
                ))
            }
        }
    }

    fn check_details(&self, way: Way, spelling: Spelling) -> Result<(), Failure> {
        let misplaced = self
            .given()
            .into_iter()
            .find(|name| *name != way.name() && !way.details().contains(name));
        let Some(detail) = misplaced else {
            return Ok(());
        };
        let belongs = Way::ALL
            .into_iter()
            .filter(|way| way.details().contains(&detail) && way.name() != detail)
            .map(Way::name);
        let list = |names: &mut dyn Iterator<Item = &'static str>, between: &str| {
            let names: Vec<String> = names.map(|name| spelling.of(name)).collect();
            names.join(between)
        };
        let name = spelling.of(way.name());
        let (takes_chinese, takes) = match way.details() {
            [] => (String::new(), String::new()),
            details => (
                format!("；{name} 可配 {}", list(&mut details.iter().copied(), "、")),
                format!(
                    "; {name} takes {}",
                    list(&mut details.iter().copied(), ", ")
                ),
            ),
        };
        let belongs_chinese = list(&mut belongs.clone(), "、");
        let belongs = list(&mut belongs.clone(), ", ");
        let detail = spelling.of(detail);
        Err(if way == Way::Page {
            Failure::new(
                format!("{detail} 只与 {belongs_chinese} 一起用{takes_chinese}"),
                format!("{detail} goes with {belongs} only{takes}"),
            )
        } else {
            Failure::new(
                format!(
                    "{detail} 不与 {name} 一起用，只与 {belongs_chinese} 一起用{takes_chinese}"
                ),
                format!("{detail} does not go with {name} but with {belongs}{takes}"),
            )
        })
    }

    fn position(&self, way: Way, spelling: Spelling) -> Result<Position, Failure> {
        let field_name = String::new();
        let existing = |name: String| Position::ExistingField(v1::ExistingField { name });
        Ok(match way {
            Way::Page => self.on_pages(),
            Way::Word => Position::Keyword(v1::KeywordPlacement {
                keyword: self.word.clone().unwrap_or_default(),
                occurrence: self.nth.map(|nth| match nth {
                    Nth::Number(number) => Occurrence::Number(number),
                    Nth::Last => Occurrence::Last(true),
                    Nth::All => Occurrence::All(true),
                }),
                pages: self.page.as_ref().map(PageChoice::selection),
                offset_x_mm: self.offset_x.unwrap_or_default(),
                offset_y_mm: self.offset_y.unwrap_or_default(),
                field_name,
            }),
            Way::IssuerDate => Position::IssuerAndDate(v1::IssuerAndDatePlacement {
                issuer: self.issuer.clone().unwrap_or_default(),
                field_name,
            }),
            Way::Seam => Position::Seam(v1::SeamPlacement {
                edge: match self.seam {
                    None | Some(Edge::Right) => WireEdge::Right.into(),
                    Some(Edge::Left) => WireEdge::Left.into(),
                    Some(Edge::Top) => WireEdge::Top.into(),
                    Some(Edge::Bottom) => WireEdge::Bottom.into(),
                },
                pages: self.page.as_ref().map(PageChoice::selection),
                sheets_per_seal_max: self.sheets_per_seal.unwrap_or_default(),
                double_sided: self.double_sided,
                along_mm: self.along.unwrap_or_default(),
                field_name,
            }),
            Way::Field => existing(self.field.clone().unwrap_or_default()),
            Way::Party => existing(format!(
                "{PLAN_FIELD}.{}",
                self.party.as_deref().unwrap_or_default()
            )),
            Way::Invisible => Position::Invisible(v1::InvisiblePlacement {
                page_number: match self.page {
                    None | Some(PageChoice::First) => 1,
                    Some(PageChoice::One(page_number)) => page_number,
                    Some(PageChoice::All | PageChoice::Last | PageChoice::Listed(_)) => {
                        let [invisible, page] = ["invisible", "page"].map(|name| spelling.of(name));
                        return Err(Failure::new(
                            format!("{invisible} 只登记在一页上：{page} 请给一个页码"),
                            format!("{invisible} is listed on one page: give {page} one number"),
                        ));
                    }
                },
                field_name,
            }),
        })
    }

    fn on_pages(&self) -> Position {
        let (x_mm, y_mm) = (
            self.x.unwrap_or(DEFAULT_MM[0]),
            self.y.unwrap_or(DEFAULT_MM[1]),
        );
        let field_name = String::new();
        match self.page.as_ref().unwrap_or(&PageChoice::One(1)) {
            PageChoice::One(page_number) => Position::Visible(v1::VisiblePlacement {
                page_number: *page_number,
                x_mm,
                y_mm,
                field_name,
            }),
            several @ (PageChoice::All
            | PageChoice::First
            | PageChoice::Last
            | PageChoice::Listed(_)) => Position::Pages(v1::PagesPlacement {
                pages: Some(several.selection()),
                x_mm,
                y_mm,
                field_name,
            }),
        }
    }
}

/// An edge of the page as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Edge {
    /// 右
    Right,
    /// 左
    Left,
    /// 上
    Top,
    /// 下
    Bottom,
}

/// Pages as a person lists them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "NumberOrText")]
pub(crate) enum PageChoice {
    /// One, from 1.
    One(u32),
    /// Every page.
    All,
    /// The first.
    First,
    /// The last.
    Last,
    /// These, from 1.
    Listed(Vec<u32>),
}

impl PageChoice {
    fn selection(&self) -> v1::PageSelection {
        let listed = |page_numbers| Pages::Listed(v1::PageList { page_numbers });
        let pages = match self {
            Self::One(page_number) => listed(vec![*page_number]),
            Self::All => Pages::All(true),
            Self::First => Pages::First(true),
            Self::Last => Pages::Last(true),
            Self::Listed(page_numbers) => listed(page_numbers.clone()),
        };
        v1::PageSelection { pages: Some(pages) }
    }
}

impl FromStr for PageChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::All),
            "first" => return Ok(Self::First),
            "last" => return Ok(Self::Last),
            _ => {}
        }
        let unreadable = || {
            "页应如 3、1,3,5-7、all、first 或 last，页码从 1 起 · pages look like 3, 1,3,5-7, all, first or last, and count from 1".to_owned()
        };
        let number = |text: &str| match text.trim().parse::<u32>() {
            Ok(number) if number > 0 => Ok(number),
            Ok(_) | Err(_) => Err(unreadable()),
        };
        if let Ok(only) = number(text) {
            return Ok(Self::One(only));
        }
        let mut listed = Vec::new();
        for item in text.split([',', '，', '、']) {
            let (from, to) = match item.split_once('-') {
                Some((from, to)) => (number(from)?, number(to)?),
                None => (number(item)?, number(item)?),
            };
            if from > to {
                return Err(unreadable());
            }
            if (to - from) as usize >= PLACES_MAX - listed.len() {
                return Err(format!("最多 {PLACES_MAX} 页 · at most {PLACES_MAX} pages"));
            }
            listed.extend(from..=to);
        }
        Ok(Self::Listed(listed))
    }
}

/// Which occurrence of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "NumberOrText")]
pub(crate) enum Nth {
    /// This one, from 1.
    Number(u32),
    /// The last.
    Last,
    /// Every one.
    All,
}

impl FromStr for Nth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("last", _) => Ok(Self::Last),
            ("all", _) => Ok(Self::All),
            (_, Ok(number)) if number > 0 => Ok(Self::Number(number)),
            (_, Ok(_) | Err(_)) => {
                Err("应为 1 起的序号、last 或 all · a number from 1, last or all".to_owned())
            }
        }
    }
}

/// TOML tells `3` from `"3"`; a person need not.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u32),
    Text(String),
}

macro_rules! from_number_or_text {
    ($type:ty) => {
        impl TryFrom<NumberOrText> for $type {
            type Error = String;

            fn try_from(written: NumberOrText) -> Result<Self, String> {
                match written {
                    NumberOrText::Number(number) => number.to_string().parse(),
                    NumberOrText::Text(text) => text.parse(),
                }
            }
        }
    };
}

from_number_or_text!(PageChoice);
from_number_or_text!(Nth);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_as_people_list_them_or_refused() {
        for (text, expected) in [
            ("3", PageChoice::One(3)),
            (" 3 ", PageChoice::One(3)),
            ("all", PageChoice::All),
            ("first", PageChoice::First),
            ("last", PageChoice::Last),
            ("1,3", PageChoice::Listed(vec![1, 3])),
            ("5-7,2", PageChoice::Listed(vec![5, 6, 7, 2])),
            ("1，2、4-4", PageChoice::Listed(vec![1, 2, 4])),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "1-",
            "-",
            "3-1",
            "0-2",
            "1,,2",
            "one",
            "4294967296",
            "1-2-3",
        ] {
            assert!(
                text.parse::<PageChoice>()
                    .unwrap_err()
                    .contains("count from 1"),
                "{text}"
            );
        }
        assert!("1-2000".parse::<PageChoice>().is_ok());
        for text in ["1-2001", "1,1-2000", "1-2000,1", "1-4294967295"] {
            assert!(
                text.parse::<PageChoice>()
                    .unwrap_err()
                    .contains("at most 2000"),
                "{text}"
            );
        }
    }

    #[test]
    fn each_option_belongs_to_a_way_of_placing() {
        let everything = Where {
            page: Some(PageChoice::All),
            x: Some(1.0),
            y: Some(1.0),
            word: Some(String::new()),
            nth: Some(Nth::Last),
            offset_x: Some(1.0),
            offset_y: Some(1.0),
            issuer_date: true,
            issuer: Some(String::new()),
            seam: Some(Edge::Left),
            sheets_per_seal: Some(2),
            double_sided: true,
            along: Some(1.0),
            field: Some(String::new()),
            party: Some(String::new()),
            invisible: true,
            may_overlap: true,
            may_leave_page: true,
        };
        for name in everything.given() {
            let belongs = |way: &Way| way.name() == name || way.details().contains(&name);
            assert!(Way::ALL.iter().any(belongs), "{name}");
        }
    }
}
