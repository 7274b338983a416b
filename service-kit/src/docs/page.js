"use strict";
(() => {
  const search = document.getElementById("search");
  const entries = [...document.querySelectorAll("[data-search]")];
  const containers = [...document.querySelectorAll("nav .group, main section")];

  // Every word must be found somewhere in what an entry is called.
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const entry of entries) {
      const text = entry.dataset.search.toLowerCase();
      entry.hidden = !words.every((word) => text.includes(word));
    }
    for (const container of containers) {
      container.hidden = words.length > 0 && !container.querySelector("[data-search]:not([hidden])");
    }
  };

  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden) {
      search.value = "";
      filter();
    }
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView();
  };

  for (const block of document.querySelectorAll(".curl")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.append(button);
  }

  search.addEventListener("input", filter);
  addEventListener("hashchange", openTarget);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape") {
      search.value = "";
      filter();
    }
  });
  openTarget();
})();
