//! Pages: the tree walked with limits, inherited attributes applied (ISO 32000-2, 7.7.3).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::document::Document;
use crate::error::PdfError;
use crate::limits::check;
use crate::object::{Dictionary, Object, ObjectId, Value};

/// So many single pages are searched by `/Count`; then the whole tree is walked once and kept.
const SEARCHES_MAX: usize = 8;

/// One page with everything it inherits.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// Its place in the document, from 0.
    pub page_index: usize,
    /// The page object's id.
    pub id: ObjectId,
    /// The page dictionary as an object, for its spans and its own entries.
    pub dictionary: Object<'a>,
    /// Left, bottom, right, top in default user space units, sorted.
    pub media_box: [f64; 4],
    /// What is shown: the crop box cut to the media box; the media box by default.
    pub crop_box: [f64; 4],
    /// Clockwise rotation when shown: 0, 90, 180 or 270.
    pub rotate: i32,
    /// Length of a user space unit in 1/72 inch; 1 by default, never inherited.
    pub user_unit: f64,
    /// `/Resources` as written (perhaps a reference), own or inherited.
    pub resources: Option<Value>,
}

impl Page<'_> {
    /// Width and height as a reader sees them, in millimetres.
    pub fn size_mm(&self) -> (f64, f64) {
        crate::update::sheet(self).size_mm()
    }
}

/// The inheritable attributes of 7.7.3.4 as a node passes them on.
#[derive(Clone, Debug, Default)]
struct Inherited {
    resources: Option<Value>,
    media_box: Option<Value>,
    crop_box: Option<Value>,
    rotate: Option<Value>,
}

impl Inherited {
    fn below(self: &Arc<Self>, dictionary: &Dictionary) -> Arc<Self> {
        let keys: [&[u8]; 4] = [b"Resources", b"MediaBox", b"CropBox", b"Rotate"];
        if keys.iter().all(|key| dictionary.get(key).is_none()) {
            return Arc::clone(self);
        }
        let own = |key: &[u8], inherited: &Option<Value>| {
            dictionary.get(key).cloned().or_else(|| inherited.clone())
        };
        Arc::new(Inherited {
            resources: own(b"Resources", &self.resources),
            media_box: own(b"MediaBox", &self.media_box),
            crop_box: own(b"CropBox", &self.crop_box),
            rotate: own(b"Rotate", &self.rotate),
        })
    }
}

/// All leaves of the tree, after one walk that has checked every `/Count`.
#[derive(Debug)]
pub(crate) struct PageIndex {
    leaves: Vec<(ObjectId, Arc<Inherited>)>,
    by_id: HashMap<ObjectId, usize>,
}

impl PageIndex {
    pub(crate) fn position(&self, id: ObjectId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.leaves.iter().map(|(id, _)| *id)
    }
}

/// A node of the tree, as far as the walk needs it.
struct Node<'a> {
    object: Object<'a>,
    /// `None` for a page.
    inner: Option<Inner>,
}

struct Inner {
    kids: Vec<ObjectId>,
    count: usize,
}

impl<'a> Document<'a> {
    /// The number of pages, counted by walking the whole tree once.
    ///
    /// # Errors
    /// [`PdfError::PageTreeBroken`] when the tree has loops, a wrong `/Count` or anything that is
    /// neither `/Page` nor `/Pages`; [`PdfError::LimitExceeded`].
    pub fn page_count(&self) -> Result<usize, PdfError> {
        Ok(self.page_index()?.leaves.len())
    }

    /// The page at `page_index`, from 0.
    ///
    /// The first few calls go straight to the page and skip subtrees by their `/Count`; if a
    /// `/Count` there is wrong, [`Document::page_count`] refuses the document.
    ///
    /// # Errors
    /// [`PdfError::PageMissing`], [`PdfError::PageTreeBroken`], and [`PdfError::WrongType`] for a
    /// box, rotation or unit that is none.
    pub fn page(&self, page_index: usize) -> Result<Page<'a>, PdfError> {
        let search = {
            let mut state = self.state();
            state.page_calls = state.page_calls.saturating_add(1);
            state.page_index.is_none() && state.page_calls <= SEARCHES_MAX
        };
        if search {
            return self.search_page(page_index);
        }
        let index = self.page_index()?;
        let page_count = index.leaves.len();
        let (id, inherited) = index.leaves.get(page_index).ok_or(PdfError::PageMissing {
            page_index,
            page_count,
        })?;
        self.read_page(page_index, self.object(*id)?, inherited)
    }

    /// The walked tree.
    pub(crate) fn page_index(&self) -> Result<Arc<PageIndex>, PdfError> {
        let known = self.state().page_index.clone();
        if let Some(index) = known {
            return Ok(index);
        }
        let index = Arc::new(self.walk_pages()?);
        self.state().page_index = Some(Arc::clone(&index));
        Ok(index)
    }

    fn page_root(&self) -> Result<ObjectId, PdfError> {
        let id = self.catalog_id();
        let wrong = PdfError::PageTreeBroken {
            id,
            problem: "/Pages of the catalog is no reference",
        };
        self.catalog()
            .get(b"Pages")
            .and_then(Value::as_reference)
            .ok_or(wrong)
    }

    fn node(&self, id: ObjectId) -> Result<Node<'a>, PdfError> {
        let broken = |problem| PdfError::PageTreeBroken { id, problem };
        let object = match self.object(id) {
            Err(PdfError::ObjectMissing { .. }) => return Err(broken("it does not exist")),
            other => other?,
        };
        let Some(dictionary) = object.dictionary().filter(|_| !object.value.is_stream()) else {
            return Err(broken("it is not a dictionary"));
        };
        if dictionary.has_name(b"Type", b"Page") {
            return Ok(Node {
                object,
                inner: None,
            });
        }
        if !dictionary.has_name(b"Type", b"Pages") {
            return Err(broken("its /Type is neither /Page nor /Pages"));
        }
        let count = self
            .lookup(dictionary, b"Count")?
            .and_then(|count| count.as_integer());
        let count = count.and_then(|count| usize::try_from(count).ok());
        let count = count.ok_or(broken("/Count is not a count"))?;
        check("pages_max", count as u64, self.limits.pages_max as u64)?;
        let kids = self.lookup(dictionary, b"Kids")?;
        let kids = kids
            .as_ref()
            .and_then(Value::as_array)
            .ok_or(broken("/Kids is not an array"))?;
        check("pages_max", kids.len() as u64, self.limits.pages_max as u64)?;
        let kids: Option<Vec<ObjectId>> = kids.iter().map(Value::as_reference).collect();
        let kids = kids.ok_or(broken("/Kids holds something that is no reference"))?;
        if kids.len() > count {
            return Err(broken("/Count is less than the number of /Kids"));
        }
        Ok(Node {
            object,
            inner: Some(Inner { kids, count }),
        })
    }

    /// Goes down to one page, skipping what `/Count` allows to skip.
    fn search_page(&self, page_index: usize) -> Result<Page<'a>, PdfError> {
        let mut node = self.node(self.page_root()?)?;
        let mut inherited = Arc::new(Inherited::default());
        let mut remaining = page_index;
        for depth in 0.. {
            check("nesting_max", depth, self.limits.nesting_max as u64)?;
            let Some(Inner { kids, count }) = node.inner.take() else {
                if remaining > 0 || depth == 0 {
                    break;
                }
                return self.read_page(page_index, node.object, &inherited);
            };
            if remaining >= count {
                if depth == 0 {
                    return Err(PdfError::PageMissing {
                        page_index,
                        page_count: count,
                    });
                }
                break;
            }
            inherited = inherited.below(node.object.dictionary().unwrap_or(&Dictionary::default()));
            node = self.kid(node.object.id, &kids, count, &mut remaining)?;
        }
        let id = node.object.id;
        Err(PdfError::PageTreeBroken {
            id,
            problem: "/Count is not the number of pages below it",
        })
    }

    /// The kid that holds the page `remaining`, which is made to count from there.
    fn kid(
        &self,
        id: ObjectId,
        kids: &[ObjectId],
        count: usize,
        remaining: &mut usize,
    ) -> Result<Node<'a>, PdfError> {
        // As many kids as pages, and no kid without pages: each kid has exactly one.
        if kids.len() == count
            && let Some(kid) = kids.get(*remaining)
        {
            *remaining = 0;
            return self.node(*kid);
        }
        for kid in kids {
            let node = self.node(*kid)?;
            let pages = node.inner.as_ref().map_or(1, |inner| inner.count);
            match remaining.checked_sub(pages) {
                None => return Ok(node),
                Some(left) => *remaining = left,
            }
        }
        Err(PdfError::PageTreeBroken {
            id,
            problem: "/Count is not the number of pages below it",
        })
    }

    fn walk_pages(&self) -> Result<PageIndex, PdfError> {
        struct Open {
            id: ObjectId,
            kids: std::vec::IntoIter<ObjectId>,
            count: usize,
            leaves_before: usize,
            inherited: Arc<Inherited>,
        }
        let root = self.page_root()?;
        let mut leaves = Vec::new();
        let mut by_id = HashMap::new();
        let mut seen = HashSet::new();
        let mut open: Vec<Open> = Vec::new();
        let mut next = Some(root);
        loop {
            if let Some(id) = next.take() {
                if !seen.insert(id.number) {
                    return Err(PdfError::PageTreeBroken {
                        id,
                        problem: "it is in the tree twice",
                    });
                }
                // A tree without useless nodes has at most twice as many nodes as pages.
                check(
                    "pages_max",
                    seen.len() as u64 / 4,
                    self.limits.pages_max as u64,
                )?;
                let node = self.node(id)?;
                let above = open.last().map(|parent| Arc::clone(&parent.inherited));
                let above = above.unwrap_or_default();
                match node.inner {
                    None => {
                        by_id.insert(id, leaves.len());
                        leaves.push((id, above));
                        check(
                            "pages_max",
                            leaves.len() as u64,
                            self.limits.pages_max as u64,
                        )?;
                    }
                    Some(Inner { kids, count }) => {
                        check(
                            "nesting_max",
                            open.len() as u64,
                            self.limits.nesting_max as u64,
                        )?;
                        let own = node.object.dictionary();
                        let inherited =
                            own.map_or_else(|| Arc::clone(&above), |own| above.below(own));
                        open.push(Open {
                            id,
                            kids: kids.into_iter(),
                            count,
                            leaves_before: leaves.len(),
                            inherited,
                        });
                    }
                }
            }
            let Some(parent) = open.last_mut() else { break };
            next = parent.kids.next();
            if next.is_some() {
                continue;
            }
            let pages = leaves.len() - parent.leaves_before;
            let id = parent.id;
            if pages != parent.count || (pages == 0 && id != root) {
                let problem = "/Count is not the number of pages below it";
                return Err(PdfError::PageTreeBroken { id, problem });
            }
            open.pop();
        }
        if by_id.contains_key(&root) {
            return Err(PdfError::PageTreeBroken {
                id: root,
                problem: "the root is a page",
            });
        }
        Ok(PageIndex { leaves, by_id })
    }

    fn read_page(
        &self,
        page_index: usize,
        object: Object<'a>,
        inherited: &Arc<Inherited>,
    ) -> Result<Page<'a>, PdfError> {
        let empty = Dictionary::default();
        let own = object.dictionary().unwrap_or(&empty);
        let all = inherited.below(own);
        let id = object.id;
        let media_box = match &all.media_box {
            Some(value) => self.rectangle(value, "MediaBox")?,
            None => {
                return Err(PdfError::PageTreeBroken {
                    id,
                    problem: "a page without /MediaBox",
                });
            }
        };
        let crop_box = match &all.crop_box {
            Some(value) => cut(self.rectangle(value, "CropBox")?, media_box),
            None => Some(media_box),
        };
        let crop_box = crop_box.ok_or(PdfError::PageTreeBroken {
            id,
            problem: "/CropBox lies outside of /MediaBox",
        })?;
        let rotate = match &all.rotate {
            None => 0,
            Some(value) => {
                let angle = self
                    .resolve(value)?
                    .as_integer()
                    .filter(|angle| angle % 90 == 0);
                let offset = value.span.start;
                let expected = "a multiple of 90";
                let wrong = PdfError::WrongType {
                    offset,
                    key: "Rotate",
                    expected,
                };
                angle.ok_or(wrong)?.rem_euclid(360) as i32
            }
        };
        let user_unit = match self.lookup(own, b"UserUnit")? {
            None => 1.0,
            Some(value) => {
                let offset = value.span.start;
                let wrong = PdfError::WrongType {
                    offset,
                    key: "UserUnit",
                    expected: "a positive number",
                };
                value.as_number().filter(|unit| *unit > 0.0).ok_or(wrong)?
            }
        };
        let resources = all.resources.clone();
        Ok(Page {
            page_index,
            id,
            dictionary: object,
            media_box,
            crop_box,
            rotate,
            user_unit,
            resources,
        })
    }

    /// A rectangle (7.9.5) with its corners sorted: left, bottom, right, top.
    ///
    /// # Errors
    /// [`PdfError::WrongType`] unless it is an array of four numbers.
    pub fn rectangle(&self, value: &Value, key: &'static str) -> Result<[f64; 4], PdfError> {
        let wrong = PdfError::WrongType {
            offset: value.span.start,
            key,
            expected: "four numbers",
        };
        let array = self.resolve(value)?;
        let Some([a, b, c, d]) = array.as_array() else {
            return Err(wrong);
        };
        let mut corners = [0.0; 4];
        for (corner, value) in corners.iter_mut().zip([a, b, c, d]) {
            *corner = self.resolve(value)?.as_number().ok_or(wrong.clone())?;
        }
        let [a, b, c, d] = corners;
        Ok([a.min(c), b.min(d), a.max(c), b.max(d)])
    }
}

/// The part of `inner` that lies in `outer`; `None` if that has no area.
fn cut(inner: [f64; 4], outer: [f64; 4]) -> Option<[f64; 4]> {
    let [a, b, c, d] = inner;
    let [left, bottom, right, top] = outer;
    let part = [a.max(left), b.max(bottom), c.min(right), d.min(top)];
    let [left, bottom, right, top] = part;
    (left < right && bottom < top).then_some(part)
}
