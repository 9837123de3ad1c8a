// @ts-check
/** The words of this page. */
export const WORDS = {
  en: {
    title: "Dashboard",
  },
  zh: {
    title: "大屏",
  },
};
