//! Plays the user on the sign-in and consent pages, as a browser without scripts would.

use std::collections::BTreeMap;

use reqwest::{Method, Response, StatusCode, header};
use sequentum_mcp::{demo::Login, outbound};
use url::Url;

/// Follows an authorization URL through sign-in and consent; returns the address the client is sent back to.
pub async fn approve(authorization: &str, redirect: &str, login: &Login) -> Url {
    let mut url = Url::parse(authorization).unwrap();
    let http = outbound::client(&url).unwrap();
    let mut cookies = BTreeMap::new();
    let mut form = None;
    // Sign-in, consent and the redirects between them are six steps.
    for _ in 0..12 {
        let method = if form.is_some() { Method::POST } else { Method::GET };
        let cookie =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let mut request = http.request(method, url.clone()).header(header::COOKIE, cookie);
        if let Some(fields) = form.take() {
            request = request.form::<Vec<(String, String)>>(&fields);
        }
        let response = request.send().await.unwrap();
        remember(&mut cookies, &response);
        if response.status().is_redirection() {
            url = url.join(response.headers()[header::LOCATION].to_str().unwrap()).unwrap();
            if url.as_str().starts_with(redirect) {
                return url;
            }
            continue;
        }
        assert_eq!(response.status(), StatusCode::OK, "{url}");
        let page = response.text().await.unwrap();
        let (action, fields) = fill(&page, login);
        url = url.join(&action).unwrap();
        form = Some(fields);
    }
    panic!("the pages never led back to the client");
}

fn remember(cookies: &mut BTreeMap<String, String>, response: &Response) {
    for value in response.headers().get_all(header::SET_COOKIE) {
        let pair = value.to_str().unwrap().split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        cookies.insert(name.to_owned(), value.to_owned());
    }
}

/// The form of a page with the user's answers in it.
fn fill(page: &str, login: &Login) -> (String, Vec<(String, String)>) {
    let form = page.split_once("<form").expect("a page with a form").1.split_once("</form>").unwrap().0;
    let action = attribute(form.split_once('>').unwrap().0, "action").unwrap_or_default();
    let mut fields: Vec<_> = form
        .split("<input")
        .skip(1)
        .map(|input| input.split_once('>').unwrap().0)
        .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())))
        .filter(|(name, _)| name != "decision")
        .map(|(name, value)| match name.as_str() {
            "username" => (name, login.username.to_owned()),
            "password" => (name, login.password.to_owned()),
            _ => (name, value),
        })
        .collect();
    if form.contains("name=\"decision\"") {
        fields.push(("decision".to_owned(), "allow".to_owned()));
    }
    (action, fields)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
    Some(value.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">"))
}
