// Shows /openapi.json with the vendored reader. The description is English, and so is the page.

const HEADER_PX = 58;
const SANS = getComputedStyle(document.documentElement).getPropertyValue("--sans");
const MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Noto Sans Mono", monospace';

const options = {
  scrollYOffset: HEADER_PX,
  hideDownloadButton: true,
  hideDownloadButtons: true,
  expandResponses: "200,201",
  jsonSampleExpandLevel: 3,
  sortRequiredPropsFirst: true,
  nativeScrollbars: true,
  theme: {
    colors: {
      primary: { main: "#b5390f" },
      success: { main: "#2d7a55" },
      text: { primary: "#221a15", secondary: "#6d5f54" },
      border: { light: "#e7dccb", dark: "#d5c6b0" },
      http: { get: "#2d7a55", post: "#b5390f", put: "#8a6113", patch: "#8a6113", delete: "#a02020" },
    },
    typography: {
      fontSize: "15px",
      fontFamily: SANS,
      headings: { fontFamily: SANS, fontWeight: "800" },
      code: { fontFamily: MONO, fontSize: "13px", color: "#b5390f", backgroundColor: "#f5ecdc" },
    },
    sidebar: { backgroundColor: "#fbf5ea", textColor: "#221a15", width: "270px" },
    rightPanel: { backgroundColor: "#221a15" },
    schema: { nestedBackground: "#fbf5ea" },
  },
};

async function show() {
  const answer = await fetch("/openapi.json", { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const description = await answer.json();
  window.Redoc.init(description, options, document.getElementById("docs"), (failure) => {
    document.getElementById("failed").hidden = !failure;
  });
}

// A module runs after the deferred script above it, so the reader is there.
show().catch(() => {
  document.getElementById("failed").hidden = false;
});
