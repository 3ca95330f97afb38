// Runs before the first paint, so that a chosen theme never flashes in the other one.
(() => {
  try {
    const chosen = localStorage.getItem("inclinet.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // storage can be switched off: the system's preference holds
  }
})();
