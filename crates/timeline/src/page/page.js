// The page around a run: its theme.

const $ = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
const label = () => ($("theme").textContent = theme() === "dark" ? "Light" : "Dark");
$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
  label();
});
dark.addEventListener("change", label);

label();
stepThrough(document.querySelector("main"), JSON.parse($("run").textContent));
