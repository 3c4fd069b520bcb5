/**
 * What a page of an app's origin does that the network answered instead of the service worker: a hard reload, or the
 * address typed into a bare tab. It goes back to where the service worker answers, at most a few times.
 */
const shellOrigin = `${location.protocol}//shell.${location.host.split('.').slice(1).join('.')}`;
const triesKey = 'latchkey-boot-tries';
const maxTries = 3;

async function boot(): Promise<void> {
  const path = location.pathname + location.search + location.hash;
  if (window.parent === window) {
    location.replace(`${shellOrigin}/open/${location.host.split('.')[0]}#${encodeURIComponent(path)}`);
    return;
  }
  const tries = Number(sessionStorage.getItem(triesKey) ?? '0');
  sessionStorage.setItem(triesKey, String(tries + 1));
  if (tries >= maxTries) {
    sessionStorage.removeItem(triesKey);
    document.body.textContent =
      'This page could not be opened: the service worker does not answer. Open the service again from the hub.';
    return;
  }
  await navigator.serviceWorker.ready;
  location.reload();
}

void boot();
