//! A browser of ours: cookies and forms, no scripts.

use super::*;

/// A browser: cookies, forms, no scripts.
#[derive(Clone)]
pub(super) struct Browser {
    pub(super) client: reqwest::Client,
    pub(super) cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

pub(super) struct Answer {
    pub(super) url: String,
    pub(super) status: StatusCode,
    pub(super) headers: header::HeaderMap,
    pub(super) octets: Vec<u8>,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }

    pub(super) fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// The form whose button says `button`: its address and hidden fields.
    pub(super) fn form(&self, button: &str) -> (String, Vec<(String, String)>) {
        let text = self.text();
        let form = text.split("<form").skip(1).map(|f| f.split("</form>").next().unwrap()).find(|f| f.contains(button));
        let form = form.unwrap_or_else(|| panic!("no button {button}: {text}"));
        let attribute = |tag: &str, name: &str| {
            let at = tag.find(&format!(" {name}=\""))? + name.len() + 3;
            Some(tag[at..].split('"').next()?.to_owned())
        };
        let head = form.split('>').next().unwrap();
        let action = attribute(head, "action").unwrap_or_default();
        let fields = form.split("<input").skip(1).filter_map(|i| Some((attribute(i, "name")?, attribute(i, "value").unwrap_or_default())));
        (action, fields.collect())
    }
}

impl Browser {
    pub(super) fn new() -> Browser {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Browser { client, cookies: Arc::default() }
    }

    pub(super) async fn ask(&self, method: Method, url: &str, form: Option<&[(String, String)]>, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.request(method, url);
        let cookies: Vec<_> = self.cookies.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if cookie.contains("Max-Age=0") {
                cookies.remove(name)
            } else {
                cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        Answer { url: url.to_owned(), status, headers, octets: response.bytes().await.unwrap().to_vec() }
    }

    pub(super) async fn get(&self, url: &str) -> Answer {
        self.ask(Method::GET, url, None, &[]).await
    }

    /// Fills in the form of `button` and follows where it leads.
    pub(super) async fn press(&self, page: &Answer, button: &str, values: &[(&str, &str)]) -> Answer {
        let answer = self.press_only(page, button, values).await;
        match answer.headers.get(header::LOCATION) {
            Some(to) => self.get(&join(&answer.url, to.to_str().unwrap())).await,
            None => answer,
        }
    }

    pub(super) async fn press_only(&self, page: &Answer, button: &str, values: &[(&str, &str)]) -> Answer {
        let (action, mut fields) = page.form(button);
        for (name, value) in values {
            fields.iter_mut().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no field {name}")).1 = (*value).to_owned();
        }
        let url = join(&page.url, &action);
        self.ask(Method::POST, &url, Some(&fields), &[("sec-fetch-site", "same-origin")]).await
    }
}

pub(super) fn join(base: &str, path: &str) -> String {
    if path.is_empty() {
        return base.to_owned();
    }
    let host = base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    format!("{host}{path}")
}
