// Before the first paint, so that nothing flashes: the choice of light or dark, if there is one.
try {
  const theme = localStorage.getItem("loom.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system decides.
}
