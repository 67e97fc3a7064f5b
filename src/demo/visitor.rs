//! A person with a browser and no JavaScript: opens links, fills in forms, presses buttons, downloads files.

use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE},
};
use std::{sync::LazyLock, time::Duration};

/// A visitor with his own cookies.
#[derive(Debug)]
pub struct Visitor {
    client: Client,
    cookies: Vec<Cookie>,
}

#[derive(Debug)]
struct Cookie {
    name: String,
    value: String,
    path: String,
}

/// A page as the visitor got it.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it was found, after redirects.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// What came back.
    pub octets: Vec<u8>,
}

/// A form on a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// Its fields with their values.
    pub fields: Vec<(String, String)>,
    /// What its button says.
    pub button: String,
}

/// Why a visit failed: one sentence.
pub type Failed = String;

impl Visitor {
    /// A visitor without cookies.
    ///
    /// # Errors
    /// When the system gives no HTTP client.
    pub fn new() -> Result<Visitor, Failed> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .build()
            .map_err(|e| format!("no HTTP client: {e}"))?;
        Ok(Visitor { client, cookies: Vec::new() })
    }

    /// Opens a link.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn open(&mut self, url: &str) -> Result<Page, Failed> {
        let url = Url::parse(url).map_err(|e| format!("{url} is no address: {e}"))?;
        self.request(Method::GET, url, None).await
    }

    /// Presses the button that says `button`, with `values` typed into the fields they name.
    ///
    /// # Errors
    /// When there is no such button or field, or nothing answers.
    pub async fn press(&mut self, page: &Page, button: &str, values: &[(&str, &str)]) -> Result<Page, Failed> {
        let forms = page.forms();
        let mut form = forms.iter().find(|f| f.button == button).cloned().ok_or_else(|| {
            format!("no button “{button}”, only {:?} on: {}", forms.iter().map(|f| &f.button).collect::<Vec<_>>(), page.text())
        })?;
        for (name, value) in values {
            let field = form.fields.iter_mut().find(|(n, _)| n == name).ok_or_else(|| format!("no field {name} at “{button}”"))?;
            (*value).clone_into(&mut field.1);
        }
        let url = page.url.join(&form.action).map_err(|e| format!("{} is no address: {e}", form.action))?;
        self.request(Method::POST, url, Some(form.fields)).await
    }

    async fn request(&mut self, mut method: Method, mut url: Url, mut form: Option<Vec<(String, String)>>) -> Result<Page, Failed> {
        // A page of ours redirects once; a browser gives up after twenty.
        for _ in 0..20 {
            let mut request = self.client.request(method.clone(), url.clone());
            let cookies: Vec<_> =
                self.cookies.iter().filter(|c| url.path().starts_with(&c.path)).map(|c| format!("{}={}", c.name, c.value)).collect();
            if !cookies.is_empty() {
                request = request.header(COOKIE, cookies.join("; "));
            }
            if let Some(fields) = form.take() {
                request = request.form(&fields).header("Sec-Fetch-Site", "same-origin");
            }
            let response = request.send().await.map_err(|e| format!("{url} does not answer: {e}"))?;
            self.keep_cookies(response.headers());
            match location(&response) {
                Some(to) => {
                    url = url.join(&to).map_err(|e| format!("redirected to {to}: {e}"))?;
                    method = Method::GET;
                }
                None => return page(url, response).await,
            }
        }
        Err(format!("{url} redirects for ever"))
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE).iter().filter_map(|h| h.to_str().ok()) {
            let mut parts = header.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|p| p.split_once('=')) else { continue };
            let path = parts.find_map(|p| p.strip_prefix("Path=")).unwrap_or("/").to_owned();
            self.cookies.retain(|c| !(c.name == name && c.path == path));
            if !value.is_empty() {
                self.cookies.push(Cookie { name: name.to_owned(), value: value.to_owned(), path });
            }
        }
    }
}

fn location(response: &Response) -> Option<String> {
    let to = response.headers().get(LOCATION)?.to_str().ok()?;
    response.status().is_redirection().then(|| to.to_owned())
}

async fn page(url: Url, response: Response) -> Result<Page, Failed> {
    let (status, headers) = (response.status(), response.headers().clone());
    let octets = response.bytes().await.map_err(|e| format!("{url} breaks off: {e}"))?.to_vec();
    Ok(Page { url, status, headers, octets })
}

/// A pattern over pages of our own making; a browser's parser would be no truer to them.
fn pattern(text: &str) -> regex::Regex {
    regex::Regex::new(text).expect("the pattern is constant")
}

static FORM: LazyLock<regex::Regex> = LazyLock::new(|| pattern(r"(?s)<form\b([^>]*)>(.*?)</form>"));
static FIELD: LazyLock<regex::Regex> = LazyLock::new(|| pattern(r"<input\b([^>]*)>"));
static BUTTON: LazyLock<regex::Regex> = LazyLock::new(|| pattern(r"(?s)<button\b[^>]*>(.*?)</button>"));
static ATTRIBUTE: LazyLock<regex::Regex> = LazyLock::new(|| pattern(r#"([a-z-]+)="([^"]*)""#));
static LINK: LazyLock<regex::Regex> = LazyLock::new(|| pattern(r"(?s)<a\b([^>]*)>(.*?)</a>"));
static TAG: LazyLock<regex::Regex> = LazyLock::new(|| pattern(r"(?s)<(?:style|script|head)\b.*?</(?:style|script|head)>|<[^>]*>"));

impl Page {
    /// The page's source.
    #[must_use]
    pub fn source(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }

    /// What a reader sees, on one line.
    #[must_use]
    pub fn text(&self) -> String {
        plain(&self.source())
    }

    /// The forms that are sent by POST.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        let source = self.source();
        FORM.captures_iter(&source)
            .filter(|form| attribute(&form[1], "method").is_some_and(|m| m.eq_ignore_ascii_case("post")))
            .map(|form| Form {
                action: attribute(&form[1], "action").unwrap_or_default(),
                fields: FIELD
                    .captures_iter(&form[2])
                    .filter_map(|field| Some((attribute(&field[1], "name")?, attribute(&field[1], "value").unwrap_or_default())))
                    .collect(),
                button: BUTTON.captures(&form[2]).map(|b| plain(&b[1])).unwrap_or_default(),
            })
            .collect()
    }

    /// The links: what they say, and where they go.
    #[must_use]
    pub fn links(&self) -> Vec<(String, String)> {
        let source = self.source();
        LINK.captures_iter(&source).filter_map(|a| Some((plain(&a[2]), attribute(&a[1], "href")?))).collect()
    }

    /// Where the frame that shows the mail's HTML gets it from.
    #[must_use]
    pub fn frame(&self) -> Option<Url> {
        let source = self.source();
        let at = source.find("<iframe")?;
        let end = source[at..].find('>')?;
        self.url.join(&attribute(&source[at..at + end], "src")?).ok()
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    ATTRIBUTE.captures_iter(tag).find(|a| &a[1] == name).map(|a| unescape(&a[2]))
}

fn plain(html: &str) -> String {
    unescape(&TAG.replace_all(html, " ")).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&#x2f;", "/")
        .replace("&#x2F;", "/")
        .replace("&#39;", "'")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&")
}
