// @ts-check
/** The words of this page. */
export const WORDS = {
  en: {
    title: "Host's console",
  },
  zh: {
    title: "直播中控台",
  },
};
