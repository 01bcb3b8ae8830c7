use crate::{App, boot::Boot, components::SPRITE};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

/// The HTML document every page is rendered into. Expects the request's nonce as context.
pub fn document(options: LeptosOptions) -> impl IntoView {
    let boot = Boot::of_request();
    let nonce = use_nonce();
    let pkg = format!("/{}/{}", options.site_pkg_dir, options.output_name);
    // Names are fixed and the server answers with an ETag: the framework's own script asks for
    // hash files beside the binary, and a release is one file. Compiling and taking over are tasks of their own.
    let start = format!(
        "import('{pkg}.js').then(m=>m.default({{module_or_path:'{pkg}.wasm'}}).then(()=>setTimeout(m.hydrate)))"
    );
    view! {
        <!DOCTYPE html>
        <html lang=boot.lang.tag() data-theme=boot.theme.name() data-density=boot.density.name()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="referrer" content="same-origin"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="preload" href="/vendor/inter.woff2" r#as="font" type="font/woff2" crossorigin=""/>
                <link rel="stylesheet" href=format!("{pkg}.css")/>
                <link rel="modulepreload" href=format!("{pkg}.js") nonce=nonce.clone()/>
                <link rel="preload" href=format!("{pkg}.wasm") r#as="fetch" r#type="application/wasm" crossorigin=""/>
                <AutoReload options=options.clone()/>
                <script type="module" nonce=nonce>{start}</script>
                <MetaTags/>
            </head>
            <body>
                <App/>
                // Fixed text of the build, no input: icons are drawn by reference to it.
                <svg class="vh" aria-hidden="true" focusable="false" inner_html=SPRITE></svg>
            </body>
        </html>
    }
}
