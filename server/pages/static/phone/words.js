// @ts-check
/** The words of this page. */
export const WORDS = {
  en: {
    title: "Live room",
  },
  zh: {
    title: "直播间",
  },
};
