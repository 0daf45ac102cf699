// Addresses are relative to this page, so that it works behind any path prefix.
"use strict";

const ui = SwaggerUIBundle({
  url: new URL("../openapi.json", document.baseURI).href,
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  persistAuthorization: false, // a key stays in this page, and ends with it
  validatorUrl: null, // no request leaves this server
  queryConfigEnabled: false, // a link cannot make the page show another document
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 3,
  docExpansion: "list",
  syntaxHighlight: { activated: true },
  onComplete: () => {
    const title = ui.specSelectors.info().get("title");
    if (title) document.title = title;
  },
});
