/**
 * A stand-in for the portal around the tab. It speaks the SDK's message protocol (xdm) through the
 * SDK's own implementation, which serves both ends; what the host offers follows SDK.js.
 */

import { channelManager } from '../../../node_modules/azure-devops-extension-sdk/esm/XDM.js';

const host = { loaded: false, notified: [] };
let subjectChanged = () => undefined;
let channel;
let contribution;
let loaded;
const ready = new Promise((resolve) => {
  loaded = resolve;
});

/**
 * options: address, sandbox (or null), theme, project, and what the tab is on: `kind` is Build or
 * Release; services: area id -> root address.
 */
window.openTab = (options) => {
  const frame = document.createElement('iframe');
  frame.title = 'Model report';
  contribution = options.contribution;
  if (options.sandbox !== null) {
    frame.setAttribute('sandbox', options.sandbox);
  }
  frame.src = options.address;
  document.body.append(frame);
  channel = channelManager.addChannel(frame.contentWindow, new URL(options.address).origin);
  const registry = channel.getObjectRegistry();
  registry.register('DevOps.HostControl', {
    initialHandshake: (asked) => {
      host.loaded = asked.loaded !== false;
      return {
        contributionId: options.contribution,
        context: {
          extension: { id: 'amltasks.azure-machine-learning-tasks' },
          host: { id: 'host', name: 'contoso', serviceVersion: '', type: 4 },
          pageContext: { webContext: { project: options.project } },
          user: { id: 'user', name: 'someone' },
        },
        initialConfig: {
          [`on${options.kind}Changed`]: (callback) => {
            subjectChanged = callback;
            callback(options.subject);
          },
        },
        themeData: options.theme,
      };
    },
    notifyLoadSucceeded: () => loaded(),
    getAccessToken: () => ({ token: options.token }),
  });
  registry.register('DevOps.ServiceManager', {
    getService: (id) =>
      id === 'ms.vss-features.location-service'
        ? { getResourceAreaLocation: (area) => Promise.resolve(options.services[area]) }
        : Promise.reject(new Error(`there is no service ${id}`)),
  });
};

window.changeSubject = (subject) => subjectChanged(subject);
window.changeTheme = (data) =>
  channel.invokeRemoteMethod('dispatchEvent', 'DevOps.SdkClient', [
    'themeChanged',
    { detail: { data } },
  ]);
/**
 * What a dashboard calls of a widget (`load`, `reload`, `lightbox`) or of its configuration (`load`,
 * `onSave`): the method's answer, or `{ refused }` where its promise is rejected.
 */
window.ask = async (method, ...given) => {
  await ready;
  const context = {
    notify: (event, { data }) => {
      host.notified.push([event, data]);
      return Promise.resolve({ getResponse: () => Promise.resolve('') });
    },
  };
  const offered = await channel.getRemoteObjectProxy(contribution);
  return offered[method](...given, context).catch((refused) => ({ refused }));
};
window.host = host;
