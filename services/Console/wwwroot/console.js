// What only the browser knows or can do: the reader's time zone, saving a file, scrolling a list, and keys that open pages.
window.shopConsole = {
  zone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
  scroll: (region, toEnd) => { region.scrollTop = toEnd ? region.scrollHeight : 0; },
  save: (name, text) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  },
};

// What is typed while the connection is lost would not arrive: the page takes no input meanwhile. What was typed just before may have been lost on
// its way, so it is sent again afterwards, unless the server has drawn something since.
(() => {
  const typed = new Set();
  let focused = null;
  document.addEventListener('input', event => {
    if (event.target.type !== 'file') {
      typed.add(event.target);
    }
  });
  new MutationObserver(() => typed.clear()).observe(document.body, { subtree: true, childList: true, characterData: true });

  // Reloading before the server answers would replace the page with the browser's error page.
  const reload = async () => {
    const style = document.querySelector('link[rel=stylesheet]').href;
    while (!await fetch(style, { method: 'HEAD', cache: 'no-store' }).then(response => response.ok, () => false)) {
      await new Promise(resolve => setTimeout(resolve, 3000));
    }

    location.reload();
  };

  document.getElementById('components-reconnect-modal').addEventListener('components-reconnect-state-changed', event => {
    const main = document.getElementById('main');
    switch (event.detail.state) {
      case 'show':
        focused = document.activeElement;
        main?.setAttribute('inert', '');
        break;
      case 'hide':
        main?.removeAttribute('inert');
        focused?.focus();
        for (const field of [...typed].filter(field => field.isConnected)) {
          field.dispatchEvent(new Event('input', { bubbles: true }));
          field.dispatchEvent(new Event('change', { bubbles: true }));
        }

        break;
      case 'failed':
      case 'rejected':
        // The server no longer has the page, for example after a restart of the console: its address is loaded again.
        reload();
        break;
    }
  });
})();

(() => {
  const pages = { t: '', o: 'orders', s: 'stock', c: 'catalogue', u: 'customers', m: 'messages' };
  let waiting = false;
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea') || document.querySelector('main[inert]')) {
      return;
    }

    if (event.key === '/') {
      const search = document.getElementById('search');
      if (search) {
        event.preventDefault();
        search.focus();
      }
    } else if (waiting && event.key in pages) {
      window.Blazor.navigateTo(pages[event.key]);
    }

    waiting = event.key === 'g';
  });
})();
