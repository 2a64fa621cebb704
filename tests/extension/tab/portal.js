/**
 * A stand-in for the portal around the tab. It speaks the SDK's message protocol (xdm) through the
 * SDK's own implementation, which serves both ends; what the host offers follows SDK.js.
 */

import { channelManager } from '../../../node_modules/azure-devops-extension-sdk/esm/XDM.js';

const host = { loaded: false };
let subjectChanged = () => undefined;
let channel;

/**
 * options: address, sandbox (or null), theme, project, and what the tab is on: `kind` is Build or
 * Release; services: area id -> root address.
 */
window.openTab = (options) => {
  const frame = document.createElement('iframe');
  frame.title = 'Model report';
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
window.host = host;
