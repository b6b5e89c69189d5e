// Keeps the page up to date: loads it again every two seconds and exchanges the parts marked as live.
// Without it the page is whole, and as old as its loading.
"use strict";

(() => {
  const EVERY_MILLIS = 2000;
  const LONGEST_MILLIS = 10000;
  const pause = document.getElementById("pause");
  const status = document.getElementById("status");
  let isPaused = false;
  let isLost = false;
  let timer = 0;

  // Said once, and politely: numbers that change are not announced.
  function say(text) {
    if (status.textContent !== text) {
      status.textContent = text;
    }
  }

  function parts(of) {
    return [...of.querySelectorAll("[data-live]")];
  }

  function names(of) {
    return parts(of).map((part) => part.id).join(" ");
  }

  function exchange(old, fresh) {
    if (names(old) !== names(fresh)) {
      // A part has come or gone: all of it is exchanged, unless somebody is in it.
      if (!old.contains(document.activeElement)) {
        old.replaceWith(document.adoptNode(fresh));
      }
      return;
    }
    for (const part of parts(fresh)) {
      const before = document.getElementById(part.id);
      if (!before.isEqualNode(part)) {
        before.replaceWith(document.adoptNode(part));
      }
    }
  }

  function show(fresh) {
    const about = fresh.getElementById("about");
    if (!about) {
      return false;
    }
    document.getElementById("about").replaceWith(document.adoptNode(about));
    for (const section of [...fresh.querySelectorAll("main > section")]) {
      exchange(document.getElementById(section.id), section);
    }
    return true;
  }

  function later() {
    clearTimeout(timer);
    if (!isPaused && !document.hidden) {
      timer = setTimeout(load, EVERY_MILLIS);
    }
  }

  function ended(isThere) {
    if (!isThere) {
      say("No answer; the numbers are the last that came. Trying again.");
    } else if (isLost) {
      say("Up to date again.");
    }
    isLost = !isThere;
    document.documentElement.classList.toggle("lost", isLost);
    later();
  }

  function load() {
    // Parsed by the browser as a document without scripts: no text of ours becomes HTML.
    const request = new XMLHttpRequest();
    request.open("GET", "/");
    request.responseType = "document";
    request.timeout = LONGEST_MILLIS;
    request.onload = () => {
      ended(request.status === 200 && request.response !== null && show(request.response));
    };
    request.onerror = request.ontimeout = () => ended(false);
    request.send();
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    say(isPaused ? "Updates are paused." : "Updates go on.");
    later();
  });
  document.addEventListener("visibilitychange", later);
  later();
})();
